/* SPDX-License-Identifier: MIT */
/*
 * A request of RARP (RFC 903) for the interface's own address: it names no IP address, which xend
 * does not know, and nobody answers it. Sent on the bridge itself, it leaves through all its ports.
 */
#include "xend/device/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/log.h"
#include "xend/device/bridge.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"

#define RARP_REQUEST 3

/* The shortest frame of Ethernet, without its checksum. */
union frame {
	struct {
		struct ether_header head;
		struct arphdr arp;
		unsigned char from[ETH_ALEN], from_ip[4], to[ETH_ALEN], to_ip[4];
	} __attribute__((packed)) f;
	unsigned char bytes[ETH_ZLEN];
};

static bool parse_mac(const char *text, unsigned char mac[ETH_ALEN])
{
	return text && sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1],
			      &mac[2], &mac[3], &mac[4], &mac[5]) == ETH_ALEN;
}

static int send_frame(const char *bridge, const unsigned char mac[ETH_ALEN])
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETHERTYPE_REVARP),
				  .sll_ifindex = (int)if_nametoindex(bridge),
				  .sll_halen = ETH_ALEN };
	union frame frame = { .f = { .head.ether_type = htons(ETHERTYPE_REVARP),
				     .arp = { .ar_hrd = htons(ARPHRD_ETHER),
					      .ar_pro = htons(ETHERTYPE_IP),
					      .ar_hln = ETH_ALEN,
					      .ar_pln = 4,
					      .ar_op = htons(RARP_REQUEST) } } };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc = 0;

	if (fd < 0)
		return -errno;
	memset(frame.f.head.ether_dhost, 0xff, ETH_ALEN);
	memset(to.sll_addr, 0xff, ETH_ALEN);
	memcpy(frame.f.head.ether_shost, mac, ETH_ALEN);
	memcpy(frame.f.from, mac, ETH_ALEN);
	memcpy(frame.f.to, mac, ETH_ALEN);
	if (sendto(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

void announce_interfaces(const struct domain *domain)
{
	for (size_t i = 0; i < domain->config->nr_vif; i++) {
		const struct config_vif *vif = &domain->config->vif[i];
		unsigned char mac[ETH_ALEN];
		char *bridge;
		int rc;

		/* A script, or a driver domain, may have connected it to anything. */
		if (vif->script || strcmp(vif->backend, "0") != 0 || !parse_mac(vif->mac, mac))
			continue;
		bridge = bridge_find(vif->bridge ? vif->bridge : settings->default_bridge);
		rc = bridge ? send_frame(bridge, mac) : 0;
		if (rc)
			log_warning("Domain %s: the network was not told on %s where %s is: %s.",
				    domain->name, bridge, vif->mac, strerror(-rc));
		free(bridge);
	}
}
