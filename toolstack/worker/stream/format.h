/* SPDX-License-Identifier: MIT */
/*
 * The stream that a domain is saved to: version 3 of the "v2" format of Xen's own tools (published
 * specification: "LibXenCtrl Domain Image Format"), so that domains can move between the two
 * toolstacks. This header has the part for 64-bit PV guests.
 *
 * The stream is an image header, a domain header, then records. A record's body is padded to 8
 * bytes. All numbers are little-endian, except in the image header. Frame numbers are the guest's
 * own (pfns), in its page tables too.
 *
 * The records are, in this order: X86_PV_INFO, X86_CPUID_POLICY, X86_MSR_POLICY, STATIC_DATA_END,
 * X86_PV_P2M_FRAMES, PAGE_DATA..., X86_TSC_INFO, SHARED_INFO; for each vCPU X86_PV_VCPU_BASIC,
 * _EXTENDED, _XSAVE, _MSRS; END.
 */
#ifndef WORKER_STREAM_FORMAT_H
#define WORKER_STREAM_FORMAT_H

#include <stdint.h>

#define STREAM_MARKER  0xffffffffffffffffULL
#define STREAM_ID      0x58454e46u
#define STREAM_VERSION 3
/* The previous version, which has no static data. */
#define STREAM_VERSION_OLDEST 2
#define STREAM_BIG_ENDIAN     0x0001

#define STREAM_TYPE_PV	  1
#define STREAM_PAGE_SHIFT 12
#define STREAM_PAGE	  4096u

/* Bytes of the longest record; most pages in one record. */
#define STREAM_RECORD_MAX (128u << 20)
#define STREAM_BATCH	  1024

struct stream_image_header {
	uint64_t marker;
	uint32_t id, version; /* big-endian, as options */
	uint16_t options;
	uint16_t zero1;
	uint32_t zero2;
};

struct stream_domain_header {
	uint32_t type;
	uint16_t page_shift;
	uint16_t zero;
	uint32_t xen_major, xen_minor;
};

struct stream_record {
	uint32_t type;
	uint32_t length; /* of the body in bytes, without the padding */
};

enum stream_record_type {
	STREAM_END = 0x00,
	STREAM_PAGE_DATA = 0x01,
	STREAM_X86_PV_INFO = 0x02,
	STREAM_X86_PV_P2M_FRAMES = 0x03,
	STREAM_X86_PV_VCPU_BASIC = 0x04,
	STREAM_X86_PV_VCPU_EXTENDED = 0x05,
	STREAM_X86_PV_VCPU_XSAVE = 0x06,
	STREAM_SHARED_INFO = 0x07,
	STREAM_X86_TSC_INFO = 0x08,
	STREAM_X86_PV_VCPU_MSRS = 0x0c,
	STREAM_VERIFY = 0x0d,
	STREAM_CHECKPOINT = 0x0e,
	STREAM_STATIC_DATA_END = 0x10,
	STREAM_X86_CPUID_POLICY = 0x11,
	STREAM_X86_MSR_POLICY = 0x12,
};

/* A reader skips an unknown record whose type has this bit. */
#define STREAM_OPTIONAL 0x80000000u

/*
 * Then follow `count` words (pfn | XEN_DOMCTL_PFINFO_* << 32), and the pages whose type has data.
 */
struct stream_page_data {
	uint32_t count;
	uint32_t zero;
};
#define STREAM_PFN_MASK	  0x000fffffffffffffULL
#define STREAM_TYPE_SHIFT 32

struct stream_pv_info {
	uint8_t guest_width; /* bytes of a pointer */
	uint8_t pt_levels;
	uint8_t zero[6];
};

/*
 * Then follow the guest's frames that hold the entries start_pfn (rounded down) to end_pfn of its
 * p2m list.
 */
struct stream_p2m_frames {
	uint32_t start_pfn, end_pfn;
};

/* Then follows the state, in the layout of the hypercall that reads it. */
struct stream_vcpu {
	uint32_t vcpu;
	uint32_t zero;
};

struct stream_tsc_info {
	uint32_t mode, khz;
	uint64_t nsec;
	uint32_t incarnation, zero;
};

_Static_assert(sizeof(struct stream_image_header) == 24, "image header");
_Static_assert(sizeof(struct stream_domain_header) == 16, "domain header");
_Static_assert(sizeof(struct stream_tsc_info) == 24, "X86_TSC_INFO");

#endif
