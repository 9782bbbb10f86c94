/* SPDX-License-Identifier: MIT */
/*
 * ASIDs: the processor tags a guest's translations with one. Each CPU gives out its ASIDs in
 * rounds; when they are used up, it flushes all and begins a new round. So a vCPU's ASID is good
 * only on the CPU that gave it, and only in that round.
 *
 * A vCPU that takes a new ASID has forgotten its translations. This is how a change of the p2m
 * reaches it.
 *
 * Who changes the p2m:
 *   1  writes the entry
 *   2  increments p2m.generation
 *   3  sends an interrupt to dirty_cpus, and waits until each has taken it
 *   4  drops the frame's references
 * The CPU that runs the vCPU:
 *   a  joins dirty_cpus (address_space_load)
 *   b  with interrupts off, reads the generation; if it is new, takes a new ASID
 *   c  VMRUN: an interrupt ends the guest, or is pending and ends it at once
 *
 * 2 and a are locked instructions. If b reads the old number, then b comes before 2, and so a
 * before 3: the interrupt is sent to this CPU. It is taken after c only, because interrupts are off
 * from b on. So when 4 comes, the guest has left, and its next b reads the new number.
 */
#include "x86/hvm/svm/svm.h"

#include "x86/hvm/p2m.h"

struct asids {
	u64 round;
	u32 last; /* given out in this round */
};
static DEFINE_PER_CPU(struct asids, asids);

void svm_asid_prepare(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_of(v);
	struct svm_vcpu *s = hv->svm;
	struct asids *a = &this_cpu(asids);
	unsigned int cpu = smp_processor_id();
	u32 generation = READ_ONCE(p2m_of(v->domain)->generation);

	s->vmcb->tlb_control = 0;
	if (likely(s->asid_cpu == cpu && s->asid_round == a->round &&
		   hv->seen_generation == generation))
		return;
	/* ASID 0 is the host's. */
	if (a->last + 1 >= svm_features.asids || !a->round) {
		a->round++;
		a->last = 0;
		s->vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	s->vmcb->asid = ++a->last;
	s->asid_round = a->round;
	s->asid_cpu = cpu;
	hv->seen_generation = generation;
}
