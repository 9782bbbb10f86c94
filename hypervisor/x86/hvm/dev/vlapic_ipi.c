/* SPDX-License-Identifier: MIT */
/* Interrupt messages between virtual local APICs (SDM 3A 11.6, 11.12.9). */
#include "x86/hvm/dev/vlapic.h"

#define REG(l, offset) ((l)->reg[(offset) / 16])

#define ICR_LOGICAL	  BIT(11)
#define ICR_ASSERT	  BIT(14)
#define ICR_LEVEL	  BIT(15)
#define FIRST_VECTOR	  16
#define DFR_FLAT	  0xf
#define BROADCAST	  0xff
#define BROADCAST_X2	  0xffffffff
#define BROADCAST_CLUSTER 0xf

/* Logical destinations of the xAPIC: eight bits, flat or in clusters of four (11.6.2.2). */
static bool xapic_logical(const struct vlapic *l, u32 dest)
{
	u32 mine = READ_ONCE(REG(l, VLAPIC_LDR)) >> 24;

	if (READ_ONCE(REG(l, VLAPIC_DFR)) >> 28 == DFR_FLAT)
		return mine & dest;
	if (dest >> 4 != BROADCAST_CLUSTER && dest >> 4 != mine >> 4)
		return false;
	return mine & dest & 0xf;
}

/* Of the x2APIC: a cluster in the upper half, one of its sixteen members in the lower. */
static bool x2apic_logical(const struct vlapic *l, u32 dest)
{
	u32 mine = READ_ONCE(REG(l, VLAPIC_LDR));

	return mine >> 16 == dest >> 16 && (mine & dest & 0xffff);
}

bool vlapic_is_dest(const struct vlapic *l, const struct vlapic *from, const struct vlapic_ipi *ipi)
{
	switch (ipi->shorthand) {
	case VLAPIC_SELF:
		return l == from;
	case VLAPIC_ALL:
		return true;
	case VLAPIC_OTHERS:
		return l != from;
	default:
		break;
	}
	if (ipi->broadcast)
		return true;
	if (!ipi->logical)
		return l->id == ipi->dest;
	return vlapic_mode(l) == VLAPIC_X2APIC ? x2apic_logical(l, ipi->dest) :
						 ipi->dest <= 0xff && xapic_logical(l, ipi->dest);
}

bool vlapic_is_lower(const struct vlapic *l, const struct vlapic *other)
{
	return READ_ONCE(REG(l, VLAPIC_TPR)) >> 4 < READ_ONCE(REG(other, VLAPIC_TPR)) >> 4;
}

void vlapic_send(struct vlapic *l, u32 icr, u32 dest, struct vlapic_out *out)
{
	struct vlapic_ipi ipi = {
		.vector = (u8)(icr & 0xff),
		.mode = (icr >> 8) & 7,
		.shorthand = (icr >> 18) & 3,
		.logical = icr & ICR_LOGICAL,
		.broadcast = dest == (vlapic_mode(l) == VLAPIC_X2APIC ? BROADCAST_X2 : BROADCAST),
		.dest = dest,
	};

	switch (ipi.mode) {
	case VLAPIC_FIXED:
	case VLAPIC_LOWEST:
		if (ipi.vector < FIRST_VECTOR) {
			l->errors |= VLAPIC_ESR_SEND_VECTOR;
			vlapic_raise_lvt(l, VLAPIC_LVT_ERROR, out);
			return;
		}
		break;
	case VLAPIC_INIT:
		/* The de-assertion of INIT has no meaning since the Pentium 4 (11.6.1). */
		if ((icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
			return;
		break;
	case VLAPIC_NMI:
	case VLAPIC_STARTUP:
		break;
	default: /* SMI: there is no such mode. The others are reserved in ICR. */
		return;
	}
	/* To itself it can send ordinary interrupts only (11.6.1, table 11-3). */
	if (ipi.mode != VLAPIC_FIXED &&
	    (ipi.shorthand == VLAPIC_SELF || ipi.shorthand == VLAPIC_ALL))
		return;
	out->flags |= VLAPIC_OUT_IPI;
	out->ipi = ipi;
}
