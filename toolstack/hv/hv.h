/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor as the tools see it: every hypercall that they make, with typed arguments and
 * results.
 *
 * Unless said otherwise, a function returns 0 or -errno. On an error, *e (if e is not NULL) says
 * what was attempted and why it failed. A domain that does not exist is always -ESRCH. A name ends
 * in its unit (_kb, _ns); a frame is 4 KiB.
 *
 * Only one thread at a time may use a struct hv: it holds the buffer for hypercalls' arguments.
 */
#ifndef HV_HV_H
#define HV_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/memory.h>
#include <xen/version.h>

struct error;
struct hv;

/* Opens the privileged call device and foreign memory. Where no hypervisor runs, *e says so. */
int hv_open(struct hv **out, struct error **e);
void hv_close(struct hv *hv);

/* --- domains (hv_domain.c) --- */

struct hv_domain_spec {
	uint8_t uuid[16];
	unsigned int max_vcpus;
	unsigned int max_evtchn_port; /* 0: 1023, as libxl sets it */
	int max_grant_frames;	      /* -1: the hypervisor's default */
	int max_maptrack_frames;      /* -1: the hypervisor's default */
	unsigned int grant_version;   /* 0: the highest that the hypervisor offers */
	uint32_t cpupool;
};

/*
 * Why a domain shut down: SHUTDOWN_poweroff, _reboot, _suspend, _crash, _watchdog, _soft_reset of
 * xen/sched.h.
 */
struct hv_domain_info {
	uint32_t domid;
	uint8_t uuid[16];
	bool dying, hvm, shutdown, paused, blocked, running, hap;
	bool xenstore;		      /* xenstored runs in it */
	unsigned int shutdown_reason; /* if shutdown */
	uint64_t pages, max_pages, outstanding_pages;
	uint64_t cpu_time_ns;
	uint32_t online_vcpus;
	uint32_t max_vcpu_id; /* XEN_INVALID_MAX_VCPU_ID: it has no vCPU yet */
	uint32_t ssidref, cpupool;
	uint64_t shared_info_frame;
};

/*
 * Makes an empty PV domain, paused. *domid in: the id, or 0 for one that the hypervisor chooses;
 * out: the domain's id.
 */
int hv_domain_create(struct hv *hv, const struct hv_domain_spec *spec, uint32_t *domid,
		     struct error **e);
/* Returns when all of the domain is freed, except frames that other domains still map. */
int hv_domain_destroy(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_pause(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_unpause(struct hv *hv, uint32_t domid, struct error **e);
/*
 * After SHUTDOWN_suspend: both let the vCPUs run again. After _cancel_suspend, the guest's suspend
 * hypercall returns 1 (cancelled). After _resume it returns as if the domain had been restored, so
 * the caller must have rewritten the start info before.
 */
int hv_domain_cancel_suspend(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_resume(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e);
/* All domains, by ascending id. The caller frees *list. */
int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e);
int hv_domain_set_uuid(struct hv *hv, uint32_t domid, const uint8_t uuid[16], struct error **e);
int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e);
/*
 * trigger: XEN_DOMCTL_SENDTRIGGER_*. They are for fully virtualized domains; a PV domain refuses
 * all but the NMI.
 */
int hv_domain_send_trigger(struct hv *hv, uint32_t domid, unsigned int trigger, unsigned int vcpu,
			   struct error **e);

struct hv_tsc_info {
	uint32_t mode, gtsc_khz, incarnation;
	uint64_t elapsed_ns;
};
int hv_domain_get_tsc(struct hv *hv, uint32_t domid, struct hv_tsc_info *tsc, struct error **e);
int hv_domain_set_tsc(struct hv *hv, uint32_t domid, const struct hv_tsc_info *tsc,
		      struct error **e);

/* --- vCPUs (hv_vcpu.c) --- */

struct hv_vcpu_info {
	bool online, blocked, running;
	uint64_t cpu_time_ns;
	uint32_t cpu; /* where it runs, or where it ran last */
};

/* A set of physical CPUs: bit n of byte n / 8. */
#define HV_CPUMAP_CPUS 1024
struct hv_cpumap {
	uint8_t bits[HV_CPUMAP_CPUS / 8];
};

static inline bool hv_cpumap_test(const struct hv_cpumap *map, unsigned int cpu)
{
	return cpu < HV_CPUMAP_CPUS && (map->bits[cpu / 8] & (1u << (cpu % 8))) != 0;
}

static inline void hv_cpumap_set(struct hv_cpumap *map, unsigned int cpu)
{
	if (cpu < HV_CPUMAP_CPUS)
		map->bits[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
}

/* Allocates the vCPUs; max must equal max_vcpus of hv_domain_create(). */
int hv_vcpu_allocate(struct hv *hv, uint32_t domid, unsigned int max, struct error **e);
int hv_vcpu_info(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_vcpu_info *info,
		 struct error **e);
/*
 * The CPUs on which a vCPU may run: *hard must, *soft should; either may be NULL. Setting changes
 * *hard and *soft to the result (cut to the CPUs that are online).
 */
int hv_vcpu_get_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e);
int hv_vcpu_set_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e);
int hv_vcpu_get_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			vcpu_guest_context_t *context, struct error **e);
int hv_vcpu_set_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			const vcpu_guest_context_t *context, struct error **e);
/* As it was when it was new: it does not run, and waits for its first registers. */
int hv_vcpu_reset(struct hv *hv, uint32_t domid, unsigned int vcpu, struct error **e);
int hv_vcpu_get_ext_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			    struct xen_domctl_ext_vcpucontext *ext, struct error **e);
int hv_vcpu_set_ext_context(struct hv *hv, uint32_t domid,
			    const struct xen_domctl_ext_vcpucontext *ext, struct error **e);
/*
 * The extended state: an XSAVE area with its header. Getting allocates *data; without such a state
 * it sets *data to NULL and *size to 0.
 */
int hv_vcpu_get_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, void **data, size_t *size,
		      struct error **e);
int hv_vcpu_set_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, const void *data,
		      size_t size, struct error **e);
/*
 * The model-specific registers that differ from a new vCPU's. Getting allocates *msrs; when there
 * are none, it sets *msrs to NULL and *count to 0.
 */
int hv_vcpu_get_msrs(struct hv *hv, uint32_t domid, unsigned int vcpu, xen_domctl_vcpu_msr_t **msrs,
		     size_t *count, struct error **e);
int hv_vcpu_set_msrs(struct hv *hv, uint32_t domid, unsigned int vcpu,
		     const xen_domctl_vcpu_msr_t *msrs, size_t count, struct error **e);

/* --- the host (hv_host.c) --- */

struct hv_version {
	unsigned int major, minor;
	char extra[16];		 /* ".7" */
	char capabilities[1024]; /* "xen-3.0-x86_64 ..." */
	char changeset[64];
	char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
	char commandline[1024];
	uint64_t virt_start;
	unsigned int page_size;
};

int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e);
/*
 * The NUMA node of each of the CPUs 0 to count - 1; XEN_INVALID_NODE_ID for one that is not online.
 */
int hv_host_cpu_nodes(struct hv *hv, unsigned int count, uint32_t *nodes, struct error **e);
int hv_host_version(struct hv *hv, struct hv_version *version, struct error **e);
/* Free memory in bytes: of one NUMA node, or of all for node -1. */
int hv_host_avail_heap(struct hv *hv, int node, uint64_t *bytes, struct error **e);
/*
 * The hypervisor's log. *text ends with a NUL, which *length does not count; the caller frees it.
 * `clear` empties the log after it was read.
 */
int hv_host_dmesg(struct hv *hv, bool clear, char **text, size_t *length, struct error **e);
int hv_host_debug_keys(struct hv *hv, const char *keys, struct error **e);

/* --- the scheduler (hv_sched.c) --- */

/* Of each processor its core, socket and node; the caller frees the array. */
int hv_host_cpu_topology(struct hv *hv, struct xen_sysctl_cputopo **cpus, size_t *count,
			 struct error **e);

/* NUMA nodes; the distance from i to j is distances[i * count + j]. */
struct hv_numa {
	size_t count;
	struct xen_sysctl_meminfo *memory; /* bytes */
	uint32_t *distances;
};

/* The caller frees both arrays. */
int hv_host_numa(struct hv *hv, struct hv_numa *numa, struct error **e);

/* A pool of processors, to which domains belong. */
struct hv_cpupool {
	uint32_t id, scheduler, domains; /* XEN_SCHEDULER_*; how many domains */
	struct hv_cpumap cpus;
};

/* The first pool with this id or a higher one. -ENOENT, without an error: there is none. */
int hv_cpupool_next(struct hv *hv, uint32_t from, struct hv_cpupool *pool, struct error **e);

struct hv_credit {
	unsigned int weight; /* 1 to 65535, 256 is the default */
	unsigned int cap;    /* percent of one CPU; 0: no cap */
};

/* *id: the host's scheduler, XEN_SCHEDULER_*. */
int hv_sched_id(struct hv *hv, uint32_t *id, struct error **e);
/* For credit and credit2. -EOPNOTSUPP for another scheduler. */
int hv_sched_get(struct hv *hv, uint32_t domid, struct hv_credit *credit, struct error **e);
int hv_sched_set(struct hv *hv, uint32_t domid, const struct hv_credit *credit, struct error **e);

/* --- memory (hv_memory.c, hv_frames.c) --- */

/*
 * Allocates `count` extents of 2^order frames for a domain. gfns in: the guest's frame number of
 * each extent. mfns out (may be the same array): the first machine frame of each. Returns how many
 * extents were allocated (fewer than `count` when memory runs out), or -errno.
 */
long hv_memory_populate(struct hv *hv, uint32_t domid, const xen_pfn_t *gfns, xen_pfn_t *mfns,
			size_t count, unsigned int order, struct error **e);
/* Takes frames from a domain. For a PV domain they are machine frames. */
int hv_memory_release(struct hv *hv, uint32_t domid, const xen_pfn_t *mfns, size_t count,
		      struct error **e);
/*
 * Reserves `pages` for what the domain will populate, so that no other domain gets them. 0 gives
 * back what is left of the reservation.
 */
int hv_memory_claim(struct hv *hv, uint32_t domid, uint64_t pages, struct error **e);
/* Sets the memory map that XENMEM_memory_map shows to a PV guest: RAM from 0 to `bytes`. */
int hv_memory_set_map(struct hv *hv, uint32_t domid, uint64_t bytes, struct error **e);
/* The highest machine frame of the host. */
int hv_memory_max_mfn(struct hv *hv, uint64_t *mfn, struct error **e);

/*
 * Maps frames of a domain; NULL on an error. With errs, errs[i] is 0 or -errno for frame i. With
 * errs NULL, one bad frame fails the whole call.
 */
void *hv_map_frames(struct hv *hv, uint32_t domid, int prot, const xen_pfn_t *frames, int *errs,
		    size_t count, struct error **e);
void hv_unmap_frames(struct hv *hv, void *address, size_t count);
/*
 * frames in: machine frames; out: the same with XEN_DOMCTL_PFINFO_* in the upper bits. Takes any
 * count.
 */
int hv_frames_info(struct hv *hv, uint32_t domid, xen_pfn_t *frames, size_t count,
		   struct error **e);
/* Does `count` operations (MMUEXT_PIN_L4_TABLE and the like) on behalf of the domain. */
struct mmuext_op;
int hv_mmuext(struct hv *hv, uint32_t domid, const struct mmuext_op *ops, size_t count,
	      struct error **e);
/*
 * Fills `count` frames of the domain with zeros. Xen hands memory out as its last owner left it if
 * that owner still lives, so not even that of a new domain is zero.
 */
int hv_clear_frames(struct hv *hv, uint32_t domid, const xen_pfn_t *frames, size_t count,
		    struct error **e);
/* Fills the domain's page `gmfn` with the stubs that make hypercalls. */
int hv_hypercall_page(struct hv *hv, uint32_t domid, uint64_t gmfn, struct error **e);
/*
 * A grant entry that the tools write before the domain runs: backend_domid may map the frame
 * writable.
 */
struct hv_grant_seed {
	unsigned int ref;
	uint32_t backend_domid;
	uint64_t frame;
};
int hv_grant_seed(struct hv *hv, uint32_t domid, const struct hv_grant_seed *seeds, size_t count,
		  struct error **e);

/* --- the log of pages that a domain writes to (hv_log_dirty.c) --- */

/* -EINVAL, -EOPNOTSUPP: this hypervisor cannot log what that domain writes. */
int hv_log_dirty_start(struct hv *hv, uint32_t domid, struct error **e);
/* How many pages were written to in this round, so far. */
int hv_log_dirty_count(struct hv *hv, uint32_t domid, uint64_t *pages, struct error **e);
/* Also if it was never started. */
int hv_log_dirty_stop(struct hv *hv, uint32_t domid, struct error **e);
/*
 * Begins a new round. bits: which of the guest's own frames from 0 to pages - 1 were written to in
 * the round that ends, a bit each, rounded up to 64. `final`, for a domain that is suspended: also
 * those to which others can still write.
 */
int hv_log_dirty_round(struct hv *hv, uint32_t domid, uint64_t *bits, uint64_t pages, bool final,
		       struct error **e);

/* --- event channels, policies (hv_event.c, hv_policy.c) --- */

/* Allocates a port of domid that `remote` may bind. */
int hv_evtchn_alloc_unbound(struct hv *hv, uint32_t domid, uint32_t remote, uint32_t *port,
			    struct error **e);
/* Closes all ports of domid. Those that other domains have bound to them stay, unbound. */
int hv_evtchn_reset(struct hv *hv, uint32_t domid, struct error **e);
/*
 * Whether that port of domid is bound to a port of `remote`, or can be bound by `remote`. False if
 * the hypervisor does not say.
 */
bool hv_evtchn_leads_to(struct hv *hv, uint32_t domid, uint32_t port, uint32_t remote);

/* The CPUID leaves and MSRs that a domain sees, in the layout of the public interface. */
struct hv_cpu_policy {
	xen_cpuid_leaf_t *leaves;
	xen_msr_entry_t *msrs;
	uint32_t nr_leaves, nr_msrs;
};
void hv_policy_free(struct hv_cpu_policy *policy);
/* index: XEN_SYSCTL_cpu_policy_*. */
int hv_policy_get_system(struct hv *hv, unsigned int index, struct hv_cpu_policy *policy,
			 struct error **e);
int hv_policy_get_domain(struct hv *hv, uint32_t domid, struct hv_cpu_policy *policy,
			 struct error **e);
int hv_policy_set_domain(struct hv *hv, uint32_t domid, const struct hv_cpu_policy *policy,
			 struct error **e);

#endif
