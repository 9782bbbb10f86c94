# SPDX-License-Identifier: MIT
#
# xend-tls, the process between xend and another host's one for a connection over TLS.
ts-src-tls += certificate.c confine.c main.c relay.c session.c
