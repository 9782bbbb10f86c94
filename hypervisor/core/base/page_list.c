/* SPDX-License-Identifier: MIT */
/*
 * Lists of frames. Links are frame numbers, not pointers: they take 8 bytes of struct page_info
 * instead of 16.
 */
#include "hv/frame.h"

static struct page_info *page_at(u32 index)
{
	return index == PAGE_LIST_NULL ? NULL : frame_table + index;
}

static u32 page_index(const struct page_info *pg)
{
	return (u32)(pg - frame_table);
}

void page_list_add_tail(struct page_info *pg, struct page_list *l)
{
	u32 index = page_index(pg);

	pg->next = PAGE_LIST_NULL;
	pg->prev = l->tail;
	if (l->tail == PAGE_LIST_NULL)
		l->head = index;
	else
		page_at(l->tail)->next = index;
	l->tail = index;
	l->nr++;
}

void page_list_add(struct page_info *pg, struct page_list *l)
{
	u32 index = page_index(pg);

	pg->prev = PAGE_LIST_NULL;
	pg->next = l->head;
	if (l->head == PAGE_LIST_NULL)
		l->tail = index;
	else
		page_at(l->head)->prev = index;
	l->head = index;
	l->nr++;
}

void page_list_del(struct page_info *pg, struct page_list *l)
{
	if (pg->prev == PAGE_LIST_NULL)
		l->head = pg->next;
	else
		page_at(pg->prev)->next = pg->next;
	if (pg->next == PAGE_LIST_NULL)
		l->tail = pg->prev;
	else
		page_at(pg->next)->prev = pg->prev;
	pg->next = pg->prev = PAGE_LIST_NULL;
	l->nr--;
}

void page_list_rotate(struct page_list *l, struct page_info *first)
{
	u32 index = page_index(first);

	if (l->head == index)
		return;
	page_at(l->tail)->next = l->head;
	page_at(l->head)->prev = l->tail;
	l->tail = first->prev;
	page_at(l->tail)->next = PAGE_LIST_NULL;
	first->prev = PAGE_LIST_NULL;
	l->head = index;
}

struct page_info *page_list_first(const struct page_list *l)
{
	return page_at(l->head);
}

struct page_info *page_list_next(const struct page_info *pg)
{
	return page_at(pg->next);
}
