/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor as the tools see it: every hypercall that they make, with typed arguments and
 * results.
 *
 * All functions return 0 or -errno and then say in *e, if e is not NULL, what was attempted and why
 * it failed. A domain that does not exist is -ESRCH everywhere. Sizes are in the unit that a name
 * ends in (_kb, _ns); frames are of 4 KiB.
 *
 * A struct hv is used by one thread at a time: it holds the buffer that hypercalls' arguments go
 * through.
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

/* Opens the privileged call device and foreign memory. Fails clearly where no hypervisor runs. */
int hv_open(struct hv **out, struct error **e);
void hv_close(struct hv *hv);

/* --- domains (hv_domain.c) --- */

struct hv_domain_spec {
	uint8_t uuid[16];
	unsigned int max_vcpus;
	unsigned int max_evtchn_port; /* 0: 1023, what libxl gives */
	int max_grant_frames;	      /* -1: the hypervisor's default */
	int max_maptrack_frames;      /* -1: the hypervisor's default */
	unsigned int grant_version;   /* 0: the highest that the hypervisor offers */
	uint32_t cpupool;
};

/* Why a domain shut down: SHUTDOWN_poweroff, _reboot, _suspend, _crash, _watchdog, _soft_reset of
 * xen/sched.h. */
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

/* Makes an empty PV domain, paused. *domid: 0 lets the hypervisor choose; the id that it got. */
int hv_domain_create(struct hv *hv, const struct hv_domain_spec *spec, uint32_t *domid,
		     struct error **e);
/* Returns when all of it is given back, but for frames that others have mapped. */
int hv_domain_destroy(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_pause(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_unpause(struct hv *hv, uint32_t domid, struct error **e);
/*
 * After SHUTDOWN_suspend: lets its vCPUs go on. _resume: the suspend hypercall says that the domain
 * was restored, for which its start info must have been made anew. _cancel_suspend: it says that
 * nothing happened.
 */
int hv_domain_cancel_suspend(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_resume(struct hv *hv, uint32_t domid, struct error **e);
int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e);
/* All domains by id; *list is the caller's to free. */
int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e);
int hv_domain_set_uuid(struct hv *hv, uint32_t domid, const uint8_t uuid[16], struct error **e);
int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e);
/* XEN_DOMCTL_SENDTRIGGER_*: for fully virtualized domains; a PV domain refuses all but the NMI. */
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
	uint32_t cpu; /* where it runs or ran last */
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

/* Allocates the vCPUs; max must be what hv_domain_create was told. */
int hv_vcpu_allocate(struct hv *hv, uint32_t domid, unsigned int max, struct error **e);
int hv_vcpu_info(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_vcpu_info *info,
		 struct error **e);
/* Where it may run. Setting gives back in *hard, *soft what holds (cut to the CPUs that are
 * online). Either may be NULL. */
int hv_vcpu_get_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e);
int hv_vcpu_set_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e);
int hv_vcpu_get_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			vcpu_guest_context_t *context, struct error **e);
int hv_vcpu_set_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			const vcpu_guest_context_t *context, struct error **e);
int hv_vcpu_get_ext_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			    struct xen_domctl_ext_vcpucontext *ext, struct error **e);
int hv_vcpu_set_ext_context(struct hv *hv, uint32_t domid,
			    const struct xen_domctl_ext_vcpucontext *ext, struct error **e);
/* The extended state (XSAVE area with its header). Getting allocates *data, NULL and 0 if the vCPU
 * has none. */
int hv_vcpu_get_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, void **data, size_t *size,
		      struct error **e);
int hv_vcpu_set_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, const void *data,
		      size_t size, struct error **e);
/* Model-specific registers that differ from a new vCPU's. Getting allocates *msrs, NULL and 0 if
 * there are none. */
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
int hv_host_version(struct hv *hv, struct hv_version *version, struct error **e);
/* Free memory in bytes, of one NUMA node or of all (node -1). */
int hv_host_avail_heap(struct hv *hv, int node, uint64_t *bytes, struct error **e);
/* The hypervisor's log as text, *text ends with a zero and is the caller's to free; clear empties
 * it afterwards. */
int hv_host_dmesg(struct hv *hv, bool clear, char **text, size_t *length, struct error **e);
int hv_host_debug_keys(struct hv *hv, const char *keys, struct error **e);

/* --- the scheduler (hv_sched.c) --- */

struct hv_credit {
	unsigned int weight; /* 1 to 65535, 256 is the default */
	unsigned int cap;    /* percent of one CPU, 0 is none */
};

/* XEN_SCHEDULER_* of the whole host. */
int hv_sched_id(struct hv *hv, uint32_t *id, struct error **e);
/* Credit and credit2 alike; -EOPNOTSUPP if another scheduler runs. */
int hv_sched_get(struct hv *hv, uint32_t domid, struct hv_credit *credit, struct error **e);
int hv_sched_set(struct hv *hv, uint32_t domid, const struct hv_credit *credit, struct error **e);

/* --- memory (hv_memory.c, hv_frames.c) --- */

/*
 * Allocates `count` extents of 2^order frames for a domain. In: gfns, the guest's frame numbers;
 * out: mfns (may be the same array), the machine frame of the start of each. Returns how many it
 * got (fewer if memory ran out), or -errno.
 */
long hv_memory_populate(struct hv *hv, uint32_t domid, const xen_pfn_t *gfns, xen_pfn_t *mfns,
			size_t count, unsigned int order, struct error **e);
/* Takes frames (machine frames, for a PV domain) away from a domain. */
int hv_memory_release(struct hv *hv, uint32_t domid, const xen_pfn_t *mfns, size_t count,
		      struct error **e);
/* Reserves so many pages for what the domain will populate, so that nobody else takes them; 0 gives
 * the rest back. */
int hv_memory_claim(struct hv *hv, uint32_t domid, uint64_t pages, struct error **e);
/* The memory map that a PV guest is told by XENMEM_memory_map: RAM from 0 to bytes. */
int hv_memory_set_map(struct hv *hv, uint32_t domid, uint64_t bytes, struct error **e);
/* The highest machine frame of the host. */
int hv_memory_max_mfn(struct hv *hv, uint64_t *mfn, struct error **e);

/* Maps frames of a domain. errs (may be NULL) gets an -errno for each frame; without it one failure
 * fails the whole. */
void *hv_map_frames(struct hv *hv, uint32_t domid, int prot, const xen_pfn_t *frames, int *errs,
		    size_t count, struct error **e);
void hv_unmap_frames(struct hv *hv, void *address, size_t count);
/* In: machine frames; out: their XEN_DOMCTL_PFINFO_* in the upper bits. Any count. */
int hv_frames_info(struct hv *hv, uint32_t domid, xen_pfn_t *frames, size_t count,
		   struct error **e);
/* MMUEXT_PIN_L4_TABLE and the like, `count` of them on behalf of the domain. */
struct mmuext_op;
int hv_mmuext(struct hv *hv, uint32_t domid, const struct mmuext_op *ops, size_t count,
	      struct error **e);
/* Fills a page of the domain with the code that makes hypercalls. */
int hv_hypercall_page(struct hv *hv, uint32_t domid, uint64_t gmfn, struct error **e);
/* An entry of a domain's grant table that exists before it runs: backend_domid may map the frame,
 * writable. */
struct hv_grant_seed {
	unsigned int ref;
	uint32_t backend_domid;
	uint64_t frame;
};
int hv_grant_seed(struct hv *hv, uint32_t domid, const struct hv_grant_seed *seeds, size_t count,
		  struct error **e);

/* --- event channels, policies (hv_event.c, hv_policy.c) --- */

/* A port of domid that remote may bind. */
int hv_evtchn_alloc_unbound(struct hv *hv, uint32_t domid, uint32_t remote, uint32_t *port,
			    struct error **e);

/* What CPUID and the MSRs tell a domain, as the hypervisor's interface lays it out. */
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
