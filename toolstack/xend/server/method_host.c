/* SPDX-License-Identifier: MIT */
/* Methods for the host, its hypervisor, and xend itself. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/runtime/files.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"
#include "xend/server/cpu_faults.h"
#include "xend/domain/domain.h"
#include "protocol.h"
#include "xend/server/scheduler.h"
#include "xend/server/top.h"
#include "xend/xend.h"

#define DEFAULT_LINES 100
#define MAX_LINES     100000
/* Bytes at the end of the log that are searched for lines. */
#define MAX_LOG	      (1024 * 1024)
#define PAGES_PER_MIB 256

/* --- xend --- */

static int info_xend(struct request *request, struct json_object *result, struct error **e)
{
	json_set_int(result, "version", XEND_PROTOCOL_VERSION);
	json_set_string(result, "xend", XENOLITH_VERSION);
	json_set_int(result, "pid", getpid());
	json_set_int(result, "start_time", xend_start_time);
	return 0;
}

/* The last lines of a text. */
static const char *tail(const char *text, size_t length, int64_t lines)
{
	const char *at = text + length;

	if (at > text && at[-1] == '\n')
		at--;
	while (at > text) {
		if (at[-1] == '\n' && --lines == 0)
			return at;
		at--;
	}
	return text;
}

/* What a thread reads of the log: its disk may not answer. */
struct reading {
	char *text;
	int rc;
};

static void reading_run(void *arg)
{
	struct reading *reading = arg;
	int fd = open(XEND_LOG_PATH, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) ||
	    (n = pread(fd, reading->text, MAX_LOG,
		       st.st_size > MAX_LOG ? st.st_size - MAX_LOG : 0)) < 0)
		reading->rc = -errno;
	else
		reading->text[n] = '\0';
	if (fd >= 0)
		close(fd);
}

static void reading_free(void *arg)
{
	struct reading *reading = arg;

	free(reading->text);
	free(reading);
}

static int log_tail(struct request *request, struct json_object *result, struct error **e)
{
	int64_t lines = request_value(request, XEND_P_LINES) ? request_int(request, XEND_P_LINES) :
							       DEFAULT_LINES;
	struct reading *reading;
	int rc;

	if (lines < 1 || lines > MAX_LINES)
		return error_set(e, EINVAL, "The number of lines is 1 to %d.", MAX_LINES);
	reading = xcalloc(1, sizeof(*reading));
	reading->text = xmalloc(MAX_LOG + 1);
	rc = offload(reading_run, reading_free, reading, task_deadline(FILES_PATIENCE));
	if (rc)
		return error_set(e, rc, "Cannot read %s: %s.", XEND_LOG_PATH, files_error_text(rc));
	rc = reading->rc;
	if (rc)
		error_set(e, rc, "Cannot read %s: %s.", XEND_LOG_PATH, files_error_text(rc));
	else
		json_set_string(result, "text", tail(reading->text, strlen(reading->text), lines));
	reading_free(reading);
	return rc;
}

/* --- info --- */

static void describe_system(struct json_object *o)
{
	struct utsname name;

	if (uname(&name))
		return;
	json_set_string(o, "system", name.sysname);
	json_set_string(o, "host", name.nodename);
	json_set_string(o, "release", name.release);
	json_set_string(o, "version", name.version);
	json_set_string(o, "machine", name.machine);
}

/* In the order and the words of xl. */
static void add_capabilities(struct str *text, uint32_t capabilities)
{
	static const struct {
		uint32_t bits; /* all of them */
		const char *name;
	} known[] = {
		{ XEN_SYSCTL_PHYSCAP_pv, "pv" },
		{ XEN_SYSCTL_PHYSCAP_hvm, "hvm" },
		{ XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_directio, "hvm_directio" },
		{ XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_directio, "pv_directio" },
		{ XEN_SYSCTL_PHYSCAP_hap, "hap" },
		{ XEN_SYSCTL_PHYSCAP_shadow, "shadow" },
		{ XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share, "iommu_hap_pt_share" },
		{ XEN_SYSCTL_PHYSCAP_vmtrace, "vmtrace" },
		{ XEN_SYSCTL_PHYSCAP_vpmu, "vpmu" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v1, "gnttab-v1" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v2, "gnttab-v2" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if ((capabilities & known[i].bits) == known[i].bits)
			str_printf(text, "%s%s", text->len ? " " : "", known[i].name);
}

static void describe_hardware(struct json_object *o, const struct xen_sysctl_physinfo *info)
{
	struct str caps = STR_INIT;

	json_set_int(o, "nr_cpus", info->nr_cpus);
	json_set_int(o, "nr_nodes", info->nr_nodes);
	json_set_int(o, "cores_per_socket", info->cores_per_socket);
	json_set_int(o, "threads_per_core", info->threads_per_core);
	json_set_int(o, "cpu_mhz", info->cpu_khz / 1000);
	for (size_t i = 0; i < sizeof(info->hw_cap) / sizeof(info->hw_cap[0]); i++)
		str_printf(&caps, "%s%08x", i ? ":" : "", info->hw_cap[i]);
	json_set_string(o, "hw_caps", str_text(&caps));
	str_clear(&caps);
	add_capabilities(&caps, info->capabilities);
	json_set_string(o, "virt_caps", str_text(&caps));
	str_free(&caps);
	json_set_int(o, "total_memory", (int64_t)(info->total_pages / PAGES_PER_MIB));
	json_set_int(o, "free_memory", (int64_t)(info->free_pages / PAGES_PER_MIB));
	json_set_int(o, "free_cpus", 0);
}

static void describe_hypervisor(struct json_object *o, const struct hv_version *version,
				const char *scheduler)
{
	json_set_int(o, "xen_major", version->major);
	json_set_int(o, "xen_minor", version->minor);
	json_set_string(o, "xen_extra", version->extra);
	json_set_string(o, "xen_caps", version->capabilities);
	json_set_string(o, "xen_scheduler", scheduler);
	json_set_int(o, "xen_pagesize", version->page_size);
	json_set_printf(o, "platform_params", "virt_start=0x%llx",
			(unsigned long long)version->virt_start);
	json_set_string(o, "xen_changeset", version->changeset);
	json_set_string(o, "xen_commandline", version->commandline);
	json_set_string(o, "cc_compiler", version->compiler);
	json_set_string(o, "cc_compile_by", version->compile_by);
	json_set_string(o, "cc_compile_domain", version->compile_domain);
	json_set_string(o, "cc_compile_date", version->compile_date);
	json_set_int(o, "xend_config_format", 4);
}

static int info_host(struct request *request, struct json_object *result, struct error **e)
{
	struct xen_sysctl_physinfo hardware;
	struct hv_version version;
	const char *faults;
	uint32_t id;
	int rc = hv_host_physinfo(domain_hv, &hardware, e);

	if (rc == 0)
		rc = hv_host_version(domain_hv, &version, e);
	if (rc == 0)
		rc = hv_sched_id(domain_hv, &id, e);
	if (rc)
		return rc;
	describe_system(result);
	describe_hardware(result, &hardware);
	describe_hypervisor(result, &version, scheduler_name(id));
	faults = cpu_faults_text(domain_hv, &version);
	if (faults)
		json_set_string(result, "cpu_faults", faults);
	return 0;
}

static int dmesg(struct request *request, struct json_object *result, struct error **e)
{
	size_t length;
	char *text;
	int rc = hv_host_dmesg(domain_hv, request_bool(request, XEND_P_CLEAR), &text, &length, e);

	if (rc)
		return rc;
	/* The text may contain guests' messages; bytes outside ASCII would not be valid JSON. */
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80 || text[i] == '\0')
			text[i] = '?';
	json_set_string(result, "text", text);
	free(text);
	return 0;
}

static int debug_keys(struct request *request, struct json_object *result, struct error **e)
{
	return hv_host_debug_keys(domain_hv, request_string(request, XEND_P_KEYS), e);
}

static int top(struct request *request, struct json_object *result, struct error **e)
{
	return top_sample(result, e);
}

const struct method methods_host[] = {
	{ XEND_M_INFO, info_xend, { { NULL } } },
	{ XEND_M_LOG, log_tail, { { XEND_P_LINES, PARAM_INT, false } } },
	{ XEND_M_HOST_INFO, info_host, { { NULL } } },
	{ XEND_M_HOST_DMESG, dmesg, { { XEND_P_CLEAR, PARAM_BOOL, false } } },
	{ XEND_M_HOST_DEBUG_KEYS, debug_keys, { { XEND_P_KEYS, PARAM_STRING, true } } },
	{ XEND_M_TOP_SAMPLE, top, { { NULL } } },
	{ NULL },
};
