/* SPDX-License-Identifier: MIT */
/*
 * The protocol between xend and its clients: the socket, the envelope of requests and answers, the
 * names of methods and fields, and the error codes. A client needs no other header of xend.
 * docs/reference/xend-protocol.md explains each of them.
 *
 *	request   {"version":1,"id":7,"method":"domain.create","params":{...}}\n
 *	progress  {"id":7,"progress":{"stage":"memory","done":3,"total":10}}\n   (none or more)
 *	answer    {"id":7,"result":{...}}\n
 *	  or      {"id":7,"error":{"code":"exists","message":"a sentence"}}\n
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define XEND_PROTOCOL_VERSION 1

/* XEND_SOCKET in the environment names another socket, for tests. */
#define XEND_SOCKET_PATH "/run/xend/xend.sock"
#define XEND_SOCKET_ENV	 "XEND_SOCKET"

/*
 * The longest request in bytes, newline included. xend answers a longer one with XEND_E_TOO_LARGE
 * and hangs up.
 */
#define XEND_MAX_REQUEST (256 * 1024)
/*
 * The longest answer in bytes. Also the most that xend queues for a client that does not read; xend
 * hangs up on a client that exceeds it.
 */
#define XEND_MAX_ANSWER (4 * 1024 * 1024)
/* The most connections at once; xend answers one more with XEND_E_BUSY and closes it. */
#define XEND_MAX_CLIENTS 128

/* The envelope. */
#define XEND_F_VERSION	"version"
#define XEND_F_ID	"id"
#define XEND_F_METHOD	"method"
#define XEND_F_PARAMS	"params"
#define XEND_F_PROGRESS "progress"
#define XEND_F_NUMBERS	"numbers" /* in progress, of some methods: see XEND_MN_* */
#define XEND_F_RESULT	"result"
#define XEND_F_ERROR	"error"
#define XEND_F_CODE	"code"
#define XEND_F_MESSAGE	"message"

/*
 * Methods. The comment of each lists its parameters, then "->" and the fields of its result. "?"
 * marks an optional one. DOM is the parameter "domain": a name, an id (a number or a string of
 * digits) or a UUID.
 */
#define XEND_M_INFO "xend.info" /* -> version xend pid start_time */
#define XEND_M_LOG  "xend.log"	/* lines? -> text */
/* request: the id of another one of this connection, which then fails with XEND_E_CANCELLED */
#define XEND_M_CANCEL "request.cancel"

/* DOM? config? columns[]? -> domains[]: objects, or arrays of these columns; see XEND_D_* */
#define XEND_M_DOMAIN_LIST "domain.list"
/*
 * DOM? columns[] -> rows[]: a string for each domain, the columns with a blank between; between[]?:
 * name and reason of those that wait between two hosts
 */
#define XEND_M_DOMAIN_TABLE "domain.table"
/* config paused? console? dryrun? -> id name uuid (with dryrun: config) */
#define XEND_M_DOMAIN_CREATE   "domain.create"
#define XEND_M_DOMAIN_DESTROY  "domain.destroy"	 /* DOM */
#define XEND_M_DOMAIN_SHUTDOWN "domain.shutdown" /* DOM wait? -> (wait) reason */
#define XEND_M_DOMAIN_REBOOT   "domain.reboot"	 /* DOM wait? -> (wait) id */
#define XEND_M_DOMAIN_PAUSE    "domain.pause"	 /* DOM */
#define XEND_M_DOMAIN_UNPAUSE  "domain.unpause"	 /* DOM */
#define XEND_M_DOMAIN_SAVE     "domain.save"	 /* DOM path continue? */
#define XEND_M_DOMAIN_RESTORE  "domain.restore"	 /* path paused? trust? -> id name uuid */
#define XEND_M_DOMAIN_NEW      "domain.new"	 /* config -> name uuid */
#define XEND_M_DOMAIN_START    "domain.start"	 /* DOM paused? console? -> id name uuid */
#define XEND_M_DOMAIN_SUSPEND  "domain.suspend"	 /* DOM */
#define XEND_M_DOMAIN_RESUME   "domain.resume"	 /* DOM paused? -> id name uuid */
#define XEND_M_DOMAIN_DELETE   "domain.delete"	 /* DOM */
#define XEND_M_DOMAIN_RENAME   "domain.rename"	 /* DOM name */
/* DOM host port? ssl? check? live? downtime_ms? timeout? rate? throttle? -> see XEND_MV_* */
#define XEND_M_DOMAIN_MIGRATE "domain.migrate"
#define XEND_M_WRITE_RATE     "domain.write-rate"     /* DOM -> write_rate: bytes a second */
#define XEND_M_MIGRATE_CANCEL "domain.migrate-cancel" /* DOM: it stays here */
/*
 * Certificates of other hosts, for migration over TLS. trust.look: host port? -> fingerprint, that
 * it shows now, and own. trust.add: host fingerprint. trust.list: -> own, hosts[] and asked[] of
 * host and fingerprint each. trust.remove: host.
 */
#define XEND_M_TRUST_LOOK   "trust.look"
#define XEND_M_TRUST_ADD    "trust.add"
#define XEND_M_TRUST_LIST   "trust.list"
#define XEND_M_TRUST_REMOVE "trust.remove"
/* DOM: it goes on here, because the other host will never have it */
#define XEND_M_MIGRATE_KEEP	"domain.migrate-keep"
#define XEND_M_DOMAIN_SYSRQ	"domain.sysrq"	   /* DOM key */
#define XEND_M_DOMAIN_TRIGGER	"domain.trigger"   /* DOM trigger vcpu? */
#define XEND_M_DOMAIN_RESET	"domain.reset"	   /* DOM -> id name uuid */
#define XEND_M_DOMAIN_DUMP_CORE "domain.dump-core" /* DOM path? live? crash? -> path */

/* The host's guests start and stop with it; see docs/reference/xend-protocol.md. */
#define XEND_M_GUESTS_START  "guests.start" /* path? config?: one file of /etc/xen/auto */
#define XEND_M_GUESTS_STOP   "guests.stop"
#define XEND_M_GUESTS_STATUS "guests.status" /* -> order finished guests[]: see XEND_G_* */

#define XEND_M_MEMORY_SET "memory.set" /* DOM kb */
#define XEND_M_MEMORY_MAX "memory.max" /* DOM kb */
/* DOM? -> nr_cpus domains[]: name id vcpus[] (XEND_V_*) */
#define XEND_M_VCPU_LIST "vcpu.list"
#define XEND_M_VCPU_SET	 "vcpu.set" /* DOM count */
#define XEND_M_VCPU_PIN \
	"vcpu.pin" /* DOM vcpu (number or "all") cpus ("0-3,5,^1", "nodes:0" or "all") */
#define XEND_M_SCHED_GET "sched.get" /* DOM? -> scheduler domains[]: name id weight cap */
#define XEND_M_SCHED_SET "sched.set" /* DOM weight? cap? */

#define XEND_M_DEVICE_ATTACH	"device.attach"	   /* DOM class config -> devid device */
#define XEND_M_DEVICE_DETACH	"device.detach"	   /* DOM class device force? */
#define XEND_M_DEVICE_LIST	"device.list"	   /* DOM class -> devices[]: see XEND_DEV_* */
#define XEND_M_DEVICE_CONFIGURE "device.configure" /* DOM class config */

/* DOM scrollback? -> id name; then raw bytes both ways */
#define XEND_M_CONSOLE_OPEN "console.open"

/* -> the keys of `xm info`, with underscores; numbers are JSON numbers */
#define XEND_M_HOST_INFO       "host.info"
#define XEND_M_HOST_DMESG      "host.dmesg"	 /* clear? -> text */
#define XEND_M_HOST_DEBUG_KEYS "host.debug-keys" /* keys */
#define XEND_M_HOST_TOPOLOGY   "host.topology"	 /* -> cpus[] nodes[] */
#define XEND_M_HOST_CPUPOOLS   "host.cpupools"	 /* -> pools[] */
/* -> time_ns total_kb free_kb nr_cpus cpu_mhz domains[]: see docs/reference/xend-protocol.md */
#define XEND_M_TOP_SAMPLE "top.sample"

/* Parameters. */
#define XEND_P_DOMAIN "domain"
/* an object as config_to_json() writes it; for a device, the device's element in it */
#define XEND_P_CONFIG	   "config"
#define XEND_P_COLUMNS	   "columns"
#define XEND_P_PAUSED	   "paused"
#define XEND_P_CONSOLE	   "console" /* its bootloader gets one */
#define XEND_P_TRUST	   "trust"
#define XEND_P_DRYRUN	   "dryrun"
#define XEND_P_WAIT	   "wait"
#define XEND_P_PATH	   "path" /* absolute */
#define XEND_P_CONTINUE	   "continue"
#define XEND_P_NAME	   "name"
#define XEND_P_KEY	   "key"     /* one character */
#define XEND_P_TRIGGER	   "trigger" /* nmi reset init power sleep; s3resume is unsupported */
#define XEND_P_VCPU	   "vcpu"
#define XEND_P_LIVE	   "live"
#define XEND_P_CRASH	   "crash"
#define XEND_P_KB	   "kb" /* KiB */
#define XEND_P_COUNT	   "count"
#define XEND_P_CPUS	   "cpus"
#define XEND_P_WEIGHT	   "weight" /* 1 to 65535 */
#define XEND_P_CAP	   "cap"    /* per cent of a CPU, 0 is none */
#define XEND_P_CLASS	   "class"  /* vbd vif */
#define XEND_P_DEVICE	   "device" /* vdev (xvda), devid, vif's handle or MAC */
#define XEND_P_FORCE	   "force"
#define XEND_P_SCROLLBACK  "scrollback"
#define XEND_P_CLEAR	   "clear"
#define XEND_P_KEYS	   "keys"
#define XEND_P_LINES	   "lines"
#define XEND_P_REQUEST	   "request"
#define XEND_P_HOST	   "host"
#define XEND_P_SSL	   "ssl"
#define XEND_P_FINGERPRINT "fingerprint"
#define XEND_P_PORT	   "port"
#define XEND_P_CHECK	   "check" /* only ask whether it could */
#define XEND_P_DOWNTIME	   "downtime_ms"
#define XEND_P_TIMEOUT	   "timeout"  /* seconds */
#define XEND_P_RATE	   "rate"     /* megabits a second */
#define XEND_P_THROTTLE	   "throttle" /* false: do not slow it */

/* In any result: a sentence for a person about what was done all the same. */
#define XEND_D_WARNING "warning"

/* The stage of progress from which console.open shows the bootloader's menu. */
#define XEND_STAGE_MENU "bootloader menu"

#define XEND_CLASS_VBD "vbd"
#define XEND_CLASS_VIF "vif"

/* An element of domain.list's "domains". */
#define XEND_D_ID	       "id" /* -1: not running */
#define XEND_D_NAME	       "name"
#define XEND_D_UUID	       "uuid"
#define XEND_D_MEMORY_KB       "memory_kb" /* memory it has now */
#define XEND_D_MAXMEM_KB       "maxmem_kb"
#define XEND_D_CLAIMED_KB      "claimed_kb" /* set aside for it, but not its own yet */
#define XEND_D_VCPUS	       "vcpus"	    /* online */
#define XEND_D_MAX_VCPUS       "max_vcpus"
#define XEND_D_STATE	       "state" /* "r-----": rbpscd in their places */
#define XEND_D_STATUS	       "status" /* 0 halted 1 paused 2 running 3 suspended 4 shutdown 5 crashed */
#define XEND_D_CPU_NS	       "cpu_ns"
#define XEND_D_START_TIME      "start_time" /* seconds since 1970; 0: not known */
#define XEND_D_MANAGED	       "managed"    /* made by domain.new: kept when halted */
#define XEND_D_OURS	       "ours"	    /* xend made it; false: xl, or the host's Domain-0 */
#define XEND_D_OPERATION       "operation"  /* ? the operation of xend in progress */
#define XEND_D_REASON	       "reason"	    /* ? why xend left it down, a sentence */
#define XEND_D_BETWEEN	       "between"    /* ? the reason of one that waits between two hosts */
#define XEND_D_CONFIG	       "config"	    /* with config:true only */
#define XEND_D_SCREEN	       "screen"	    /* ? with config:true only: address, password?, dead? */
#define XEND_D_SCREEN_ADDRESS  "address"    /* 127.0.0.1:5900, [::1]:5900 */
#define XEND_D_SCREEN_PASSWORD "password"
#define XEND_D_SCREEN_DEAD     "dead" /* true: its QEMU has died, and nobody shows it */

/* trust.list */
#define XEND_TR_OWN   "own"
#define XEND_TR_HOSTS "hosts"
#define XEND_TR_ASKED "asked"

/* The result of domain.migrate, without check. */
#define XEND_MV_DOWNTIME_MS "downtime_ms" /* milliseconds in which the guest stood still */
#define XEND_MV_TOTAL_MS    "total_ms"
#define XEND_MV_LIVE	    "live"    /* false: it stood still all the time */
#define XEND_MV_WHY_NOT	    "why_not" /* ? why it was not live though nobody asked for that */
#define XEND_MV_ROUNDS	    "rounds"
#define XEND_MV_SENT	    "sent_bytes"
#define XEND_MV_LAST	    "last_bytes" /* in the last round, while it stood still */
#define XEND_MV_PERCENT	    "percent"	 /* the least share of its processors that it got */

/* The numbers in the progress of domain.migrate. */
#define XEND_MN_ROUND	   "round"
#define XEND_MN_LAST	   "last" /* the guest stands still */
#define XEND_MN_SENT	   "sent_bytes"
#define XEND_MN_LEFT	   "left_bytes" /* of this round */
#define XEND_MN_SEND_RATE  "send_rate"	/* bytes a second; 0: not known yet */
#define XEND_MN_WRITE_RATE "write_rate" /* of the guest */
#define XEND_MN_PERCENT	   "percent"	/* of its processors that it gets */

/* guests.status: its fields, and those of an element of "guests". */
#define XEND_G_ORDER	    "order"	   /* none start stop */
#define XEND_G_FINISHED	    "finished"	   /* nothing is waiting or working */
#define XEND_G_ACTION	    "action"	   /* start resume suspend shutdown */
#define XEND_G_PROGRESS	    "progress"	   /* waiting working done failed */
#define XEND_G_FILE_WANTED  "file_wanted"  /* ? true: xend was killed; send the file again */
#define XEND_G_SECONDS_LEFT "seconds_left" /* ? until its time limit; -1: not yet asked */

/* An element of vcpu.list's "vcpus". */
#define XEND_V_VCPU	"vcpu"
#define XEND_V_CPU	"cpu"	/* the CPU it ran on last; -1: offline */
#define XEND_V_STATE	"state" /* "r--", "-b-", "--p" (offline) */
#define XEND_V_CPU_NS	"cpu_ns"
#define XEND_V_AFFINITY "affinity" /* "any cpu" or "0-1,4" */

/* An element of device.list's "devices". */
#define XEND_DEV_DEVID	       "devid"	/* xenstore's number: 51712 for xvda, the handle of a vif */
#define XEND_DEV_DEVICE	       "device" /* "xvda", "0" */
#define XEND_DEV_BACKEND_ID    "backend_id"
#define XEND_DEV_HANDLE	       "handle"
#define XEND_DEV_STATE	       "state"	       /* XenbusState of the backend */
#define XEND_DEV_EVENT_CHANNEL "event_channel" /* -1: not connected */
#define XEND_DEV_RING_REF      "ring_ref"      /* vbd; -1: not connected */
#define XEND_DEV_TX_RING_REF   "tx_ring_ref"   /* vif */
#define XEND_DEV_RX_RING_REF   "rx_ring_ref"   /* vif */
#define XEND_DEV_BACKEND_PATH  "backend_path"
#define XEND_DEV_MAC	       "mac" /* vif */
#define XEND_DEV_CONFIG	       "config"

/* Error codes. Programs look at the code alone; the message is a whole sentence for a person. */
#define XEND_E_BAD_REQUEST    "bad-request" /* not a JSON object of the envelope's form */
#define XEND_E_VERSION	      "version"	    /* another version of the protocol */
#define XEND_E_UNKNOWN_METHOD "unknown-method"
#define XEND_E_BAD_PARAMS     "bad-params" /* missing, of the wrong type, or out of range */
#define XEND_E_TOO_LARGE      "too-large"
#define XEND_E_BAD_CONFIG     "bad-config" /* the domain's configuration */
#define XEND_E_NO_SUCH_DOMAIN "no-such-domain"
#define XEND_E_NO_SUCH_DEVICE "no-such-device"
#define XEND_E_EXISTS	      "exists" /* a name, UUID, device or file that is there already */
#define XEND_E_NOT_RUNNING    "not-running"
#define XEND_E_WRONG_STATE    "wrong-state" /* the domain's state forbids the method */
/* another operation, or a driver, holds the domain or device; or too many clients */
#define XEND_E_BUSY	   "busy"
#define XEND_E_IN_USE	   "in-use" /* a disk that somebody else uses */
#define XEND_E_NO_MEMORY   "no-memory"
#define XEND_E_TIMEOUT	   "timeout"   /* a guest, backend or script did not answer in time */
#define XEND_E_CANCELLED   "cancelled" /* another request undid it, or xend is stopping */
#define XEND_E_UNSUPPORTED "unsupported"
#define XEND_E_BUILD	   "build"  /* a bad kernel, ramdisk, bootloader or save file */
#define XEND_E_FAILED	   "failed" /* anything else */

#endif
