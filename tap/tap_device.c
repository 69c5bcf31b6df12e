/* SPDX-License-Identifier: BSD-3-Clause */
/* A tap port's device: the steps of tap.h and link.h in order, with their errors put into words. */
#include "tap/tap_device.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"

#define NEW_IFNAME "weft-new%d"	/* until it is moved; the kernel picks a free number */
#define MTU_MIN_BYTES 68	/* RFC 791 */
#define MTU_MIN_IPV6_BYTES 1280	/* RFC 8200: below, the kernel takes IPv6 off the device */
#define MTU_MAX_BYTES 65521	/* 65535 less the Ethernet header, as the tun driver has it */
#define ALIAS_CHARS_MAX 255	/* IFALIASZ of linux/if.h, less the NUL */

/* One call of this file: what is asked for, and where the reason for a refusal goes. */
struct job {
	const struct tap_device_spec *spec;
	bool has_address;
	struct link_prefix address;
	char where[96];		/* " in namespace c1", or empty */
	char *why;
	size_t why_bytes;
};

static int refuse(struct job *job, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the error, after saying why. */
static int refuse(struct job *job, int error, const char *format, ...)
{
	va_list args;

	if (job->why_bytes == 0)
		return error;
	va_start(args, format);
	vsnprintf(job->why, job->why_bytes, format, args);
	va_end(args);
	/* It quotes what a user wrote, and ends up on a terminal: one line, no escapes. */
	for (char *c = job->why; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return error;
}

static int check_address(struct job *job)
{
	const struct tap_device_spec *spec = job->spec;
	int error;

	if (spec->ip == NULL)
		return 0;
	error = link_parse_prefix(spec->ip, &job->address);
	if (error == -EADDRNOTAVAIL)
		return refuse(job, -EINVAL,
			      "ip %.49s is not the address of a host: use one inside "
			      "the network, as 10.0.1.2/24",
			      spec->ip);
	if (error < 0)
		return refuse(job, -EINVAL,
			      "ip %.49s is not an address with a prefix length: "
			      "write it as 10.0.1.2/24 or fd00::2/64",
			      spec->ip);
	if (job->address.family == AF_INET6 && spec->mtu_bytes != 0 &&
	    spec->mtu_bytes < MTU_MIN_IPV6_BYTES)
		return refuse(job, -EINVAL,
			      "ip %s needs an mtu of %u or more, not %u: raise the "
			      "mtu or use an IPv4 address",
			      spec->ip, MTU_MIN_IPV6_BYTES, spec->mtu_bytes);
	job->has_address = true;
	return 0;
}

/* Fills the job and checks the spec, without a look at the host. */
static int job_init(struct job *job, const struct tap_device_spec *spec, char *why,
		    size_t why_bytes)
{
	*job = (struct job){.spec = spec, .why = why, .why_bytes = why_bytes};
	if (spec->netns != NULL)
		snprintf(job->where, sizeof(job->where), " in namespace %s", spec->netns);
	if (!link_name_is_valid(spec->ifname))
		return refuse(job, -EINVAL,
			      "ifname %.32s cannot name a network device: use 1 to "
			      "15 letters, digits, '.', '_' or '-'",
			      spec->ifname);
	if (spec->netns != NULL && !link_netns_name_is_valid(spec->netns))
		return refuse(job, -EINVAL,
			      "netns %.63s cannot name a network namespace: give one that "
			      "ip netns list shows",
			      spec->netns);
	if (spec->n_queues == 0 || spec->n_queues > TAP_QUEUES_MAX)
		return refuse(job, -EINVAL, "%u queues: a tap takes 1 to %u", spec->n_queues,
			      TAP_QUEUES_MAX);
	if ((spec->mac[0] & 1) != 0)
		return refuse(job, -EINVAL,
			      "mac %02x:... is a multicast address: make its first "
			      "byte even, as 02:...",
			      spec->mac[0]);
	if (spec->mtu_bytes != 0 &&
	    (spec->mtu_bytes < MTU_MIN_BYTES || spec->mtu_bytes > MTU_MAX_BYTES))
		return refuse(job, -EINVAL, "mtu %u: a tap takes %u to %u", spec->mtu_bytes,
			      MTU_MIN_BYTES, MTU_MAX_BYTES);
	if (spec->alias != NULL && strlen(spec->alias) > ALIAS_CHARS_MAX)
		return refuse(job, -EINVAL, "the alias has more than %u characters: shorten it",
			      ALIAS_CHARS_MAX);
	return check_address(job);
}

int tap_device_validate(const struct tap_device_spec *spec, char *why, size_t why_bytes)
{
	struct job job;

	return job_init(&job, spec, why, why_bytes);
}

/* A descriptor of the spec's namespace or, without one, of our own. */
static int open_netns(struct job *job)
{
	const char *name = job->spec->netns;
	int fd = link_netns_open(name);

	if (fd >= 0)
		return fd;
	switch (name != NULL ? -fd : 0) {
	case ENOENT:
		return refuse(job, fd,
			      "network namespace %s does not exist: create it with: "
			      "ip netns add %s",
			      name, name);
	case ESTALE:
		return refuse(job, fd,
			      "/run/netns/%s is a file, not a namespace: make it anew "
			      "with: ip netns del %s; ip netns add %s",
			      name, name, name);
	default:
		return refuse(job, fd, "cannot open the network namespace%s%s: %s",
			      name != NULL ? " " : "", name != NULL ? name : "", strerror(-fd));
	}
}

static int refuse_open(struct job *job, int error)
{
	const char *ifname = job->spec->ifname;

	switch (-error) {
	case EBUSY:
		return refuse(job, -EEXIST,
			      "network device %s exists already: choose another ifname", ifname);
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return refuse(job, error,
			      "/dev/net/tun is missing: load the driver with: "
			      "modprobe tun");
	case EPERM:
	case EACCES:
		return refuse(job, error,
			      "making tap devices is not permitted: run weftd as root "
			      "or with CAP_NET_ADMIN");
	default:
		return refuse(job, error, "cannot make tap device %s: %s", ifname,
			      strerror(-error));
	}
}

/* For what happens on the way into the spec's namespace. */
static int refuse_move(struct job *job, int error)
{
	const char *ifname = job->spec->ifname;

	if (error == -EEXIST)
		return refuse(job, error,
			      "network device %s exists already%s: choose another ifname", ifname,
			      job->where);
	if (error == -EPERM)
		return refuse(job, error,
			      "putting %s into a namespace is not permitted: run weftd "
			      "as root or with CAP_NET_ADMIN and CAP_SYS_ADMIN",
			      ifname);
	return refuse(job, error, "cannot set up %s%s: %s", ifname, job->where, strerror(-error));
}

static int refuse_address(struct job *job, int error)
{
	const struct tap_device_spec *spec = job->spec;

	if (error == -EACCES && job->has_address && job->address.family == AF_INET6)
		return refuse(job, error,
			      "IPv6 is switched off for %s%s: set "
			      "net.ipv6.conf.all.disable_ipv6=0 there or use an IPv4 address",
			      spec->ifname, job->where);
	return refuse(job, error, "cannot set ip %s on %s%s: %s",
		      spec->ip != NULL ? spec->ip : "to none", spec->ifname, job->where,
		      strerror(-error));
}

static int find(struct job *job, struct link_ctx *ctx, const char *ifname, struct link_info *info)
{
	int error = link_find(ctx, ifname, info);

	if (error < 0)
		refuse(job, error, "device %s%s is gone: delete the port and add it again",
		       job->spec->ifname, job->where);
	return error;
}

static bool has_mac(const struct tap_device_spec *spec)
{
	static const uint8_t none[LINK_MAC_BYTES];

	return memcmp(spec->mac, none, sizeof(none)) != 0;
}

/* Settings of the device, which is in the ctx's namespace under the name `present`; only what
 * differs is touched. */
static int configure(struct job *job, struct link_ctx *ctx, const char *present)
{
	const struct tap_device_spec *spec = job->spec;
	struct link_change change = {.alias = spec->alias}, up = {.admin = LINK_ADMIN_UP};
	struct link_info found, *info = &found;
	int error = find(job, ctx, present, info);

	if (error < 0)
		return error;
	if (strcmp(present, spec->ifname) != 0)
		change.ifname = spec->ifname;
	/* Even the same MAC, set again, makes the kernel forget the device's neighbours. */
	if (has_mac(spec) && memcmp(spec->mac, info->mac, sizeof(info->mac)) != 0)
		change.mac = spec->mac;
	if (spec->mtu_bytes != info->mtu_bytes)
		change.mtu_bytes = spec->mtu_bytes;
	error = link_set(ctx, info->index, &change);
	if (error == -EEXIST)
		return refuse(job, error,
			      "network device %s exists already%s: choose another ifname",
			      spec->ifname, job->where);
	if (error < 0)
		return refuse(job, error, "cannot set the %smac or mtu of %s%s: %s",
			      change.ifname != NULL ? "name, " : "", present, job->where,
			      strerror(-error));
	error = link_set_address(ctx, info->index, job->has_address ? &job->address : NULL);
	if (error < 0)
		return refuse_address(job, error);
	/* Up comes last: who waits for the device in a container finds the address set. */
	error = info->is_up ? 0 : link_set(ctx, info->index, &up);
	return error < 0 ? refuse(job, error, "cannot bring %s%s up: %s", spec->ifname, job->where,
				  strerror(-error))
			 : 0;
}

/* Configures a device under its final name in the given namespace (-1: our own). */
static int start(struct job *job, int netns_fd)
{
	struct link_ctx *ctx;
	int error = link_open(netns_fd, &ctx);

	if (error < 0)
		return refuse_move(job, error);
	error = configure(job, ctx, job->spec->ifname);
	link_close(ctx);
	return error;
}

static int move(struct job *job, const char *made, int netns_fd)
{
	struct link_ctx *ctx;
	struct link_info info;
	int error = link_open(-1, &ctx);

	if (error < 0)
		return refuse_move(job, error);
	error = link_find(ctx, made, &info);
	if (error == 0)
		error = link_move(ctx, info.index, netns_fd, job->spec->ifname);
	link_close(ctx);
	return error < 0 ? refuse_move(job, error) : 0;
}

/*
 * netns_fd: -1, our own. The device is made here and moved, not made there: a tap descriptor holds
 * a reference to the namespace where it was opened, and the tenant's could not be deleted any more.
 */
static int make(struct job *job, int netns_fd, int *fds)
{
	const struct tap_device_spec *spec = job->spec;
	char made[IF_NAMESIZE];
	int error =
		tap_open(netns_fd < 0 ? spec->ifname : NEW_IFNAME, spec->n_queues, true, fds, made);

	if (error < 0)
		return refuse_open(job, error);
	if (netns_fd >= 0)
		error = move(job, made, netns_fd);
	if (error == 0)
		error = start(job, netns_fd);
	if (error == 0 && spec->is_persistent) {
		error = tap_set_persist(fds[0], true);
		if (error < 0)
			refuse(job, error, "cannot make %s persistent: %s", spec->ifname,
			       strerror(-error));
	}
	if (error < 0)
		tap_close(fds, spec->n_queues);
	return error;
}

/* An argument of link_visit(). */
struct opening {
	const struct tap_device_spec *spec;
	int *fds;
};

static int open_there(void *arg)
{
	const struct opening *opening = arg;
	char name[IF_NAMESIZE];

	return tap_open(opening->spec->ifname, opening->spec->n_queues, false, opening->fds, name);
}

static int refuse_attach(struct job *job, int error)
{
	const char *ifname = job->spec->ifname;

	if (error == -EBUSY)
		return refuse(job, error,
			      "device %s%s is in use by another program: a tap has one user at its "
			      "end; stop that program, or give its guest a vhost-user port",
			      ifname, job->where);
	if (error == -EINVAL)
		return refuse(job, error,
			      "device %s%s is no tap, or not one of %u queues: make it with: "
			      "ip tuntap add %s mode tap",
			      ifname, job->where, job->spec->n_queues, ifname);
	return refuse_open(job, error);
}

/* To a device that is there already. */
static int attach(struct job *job, int netns_fd, int *fds)
{
	struct opening opening = {.spec = job->spec, .fds = fds};
	int error = netns_fd < 0 ? open_there(&opening)
				 : link_visit(netns_fd, open_there, &opening);

	if (error < 0)
		return refuse_attach(job, error);
	error = start(job, netns_fd);
	if (error < 0)
		tap_close(fds, job->spec->n_queues);
	return error;
}

/* Is there something to attach to? 1, 0, or -errno. */
static int find_present(struct job *job, int netns_fd)
{
	const struct tap_device_spec *spec = job->spec;
	struct link_ctx *ctx;
	struct link_info info;
	int error = link_open(netns_fd, &ctx);

	if (error < 0)
		return refuse_move(job, error);
	error = link_find(ctx, spec->ifname, &info);
	link_close(ctx);
	if (spec->is_foreign && error == -ENODEV)
		return refuse(job, error,
			      "device %s does not exist%s: make it with: ip tuntap add %s mode "
			      "tap, or leave attach out",
			      spec->ifname, job->where, spec->ifname);
	if (error < 0)
		return error == -ENODEV ? 0 : refuse_move(job, error);
	return spec->is_foreign || strcmp(info.alias, spec->alias) == 0;
}

static int make_or_attach(struct job *job, int netns_fd, int *fds)
{
	bool may_be_there = job->spec->is_foreign ||
			    (job->spec->is_persistent && job->spec->alias != NULL);
	int present = may_be_there ? find_present(job, netns_fd) : 0;

	if (present < 0)
		return present;
	if (present == 0)
		return make(job, netns_fd, fds);
	int error = attach(job, netns_fd, fds);

	return error < 0 ? error : 1;
}

int tap_device_create(const struct tap_device_spec *spec, int *fds, char *why, size_t why_bytes)
{
	struct job job;
	int error = job_init(&job, spec, why, why_bytes);
	int netns_fd;

	if (error < 0)
		return error;
	if (spec->netns == NULL)
		return make_or_attach(&job, -1, fds);
	netns_fd = open_netns(&job);
	if (netns_fd < 0)
		return netns_fd;
	error = make_or_attach(&job, netns_fd, fds);
	close(netns_fd);
	return error;
}

static bool is_same_file(int fd, int other_fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstat(other_fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Is the device behind the descriptor there, and how is it called now? */
static int check_present(struct job *job, int fd, char present[IF_NAMESIZE])
{
	const struct tap_device_spec *spec = job->spec;
	int error = tap_check(fd, present);

	if (error == -EBADFD)
		return refuse(job, -ENODEV, "device %s%s is gone: delete the port and add it again",
			      spec->ifname, job->where);
	if (error < 0)
		return refuse(job, error,
			      "the descriptor of %s is not one of weft's taps: delete "
			      "the port and add it again",
			      spec->ifname);
	return 0;
}

void tap_device_release(const struct tap_device_spec *spec, int fd)
{
	/* It fails where the device is gone already. */
	if (spec->is_persistent && !spec->is_foreign && tap_set_persist(fd, false) < 0)
		return;
}

bool tap_device_is_lost(const struct tap_device_spec *spec, int fd)
{
	int device_fd = tap_netns_open(fd);
	struct stat named, own;
	int error = spec->netns != NULL ? link_netns_stat(spec->netns, &named) : -EINVAL;
	bool is_lost = device_fd == -EBADFD;

	if (error == -ENOENT)
		is_lost |= spec->is_foreign || spec->is_persistent;
	/* What is no namespace, a file that a deletion left, lies on another file system. */
	else if (error == 0 && device_fd >= 0 && fstat(device_fd, &own) == 0 &&
		 own.st_dev == named.st_dev)
		is_lost = own.st_ino != named.st_ino;
	if (device_fd >= 0)
		close(device_fd);
	return is_lost;
}

/* The namespace where the device is, once it proves to be the spec's. */
static int open_device_netns(struct job *job, int fd)
{
	const struct tap_device_spec *spec = job->spec;
	int device_fd, spec_fd = open_netns(job);

	if (spec_fd < 0)
		return spec_fd;
	device_fd = tap_netns_open(fd);
	if (device_fd < 0) {
		refuse(job, device_fd, "cannot tell the namespace of %s: %s", spec->ifname,
		       strerror(-device_fd));
	} else if (!is_same_file(device_fd, spec_fd)) {
		close(device_fd);
		device_fd = refuse(job, -ESTALE,
				   "device %s is not%s any more: delete the port and "
				   "add it again",
				   spec->ifname,
				   spec->netns != NULL ? job->where : " in weftd's namespace");
	}
	close(spec_fd);
	return device_fd;
}

/* Checks the spec and what the descriptor stands for; opens a socket where the device is. */
static int open_device(struct job *job, int fd, char present[IF_NAMESIZE], struct link_ctx **ctx)
{
	int netns_fd, error = check_present(job, fd, present);

	if (error < 0)
		return error;
	netns_fd = open_device_netns(job, fd);
	if (netns_fd < 0)
		return netns_fd;
	/* Our own namespace needs no visit, and so no CAP_SYS_ADMIN. */
	error = link_open(job->spec->netns != NULL ? netns_fd : -1, ctx);
	close(netns_fd);
	return error < 0 ? refuse_move(job, error) : 0;
}

int tap_device_update(const struct tap_device_spec *spec, int fd, char *why, size_t why_bytes)
{
	char present[IF_NAMESIZE];
	struct link_ctx *ctx;
	struct job job;
	int error = job_init(&job, spec, why, why_bytes);

	if (error == 0)
		error = open_device(&job, fd, present, &ctx);
	if (error < 0)
		return error;
	error = configure(&job, ctx, present);
	link_close(ctx);
	return error == 0 ? tap_device_keep(spec, fd) : error;
}

int tap_device_keep(const struct tap_device_spec *spec, int fd)
{
	return spec->is_foreign ? 0 : tap_set_persist(fd, spec->is_persistent);
}

/* One more phrase. */
static void add_drift(struct job *drift, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_drift(struct job *drift, const char *format, ...)
{
	size_t len = strlen(drift->why);
	va_list args;

	va_start(args, format);
	if (len > 0)
		len += (size_t)snprintf(drift->why + len, drift->why_bytes - len, "; ");
	if (len < drift->why_bytes)
		vsnprintf(drift->why + len, drift->why_bytes - len, format, args);
	va_end(args);
}

static int compare(struct job *job, struct link_ctx *ctx, const char *present)
{
	const struct tap_device_spec *spec = job->spec;
	const uint8_t *mac;
	struct link_info info;
	int error = find(job, ctx, present, &info);
	int has_address = 1;

	if (error == 0 && job->has_address)
		has_address = link_has_address(ctx, info.index, &job->address);
	if (error < 0 || has_address < 0)
		return error < 0 ? error : refuse_address(job, has_address);
	mac = info.mac;
	job->why[0] = '\0';
	if (!info.is_up)
		add_drift(job, "it is down");
	if (strcmp(present, spec->ifname) != 0)
		add_drift(job, "its name is %s, not %s", present, spec->ifname);
	if (spec->mtu_bytes != 0 && spec->mtu_bytes != info.mtu_bytes)
		add_drift(job, "mtu is %u, not %u", info.mtu_bytes, spec->mtu_bytes);
	if (has_mac(spec) && memcmp(spec->mac, mac, LINK_MAC_BYTES) != 0)
		add_drift(job, "mac is %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			  mac[3], mac[4], mac[5]);
	if (has_address == 0)
		add_drift(job, "address %s is not there", spec->ip);
	return 0;
}

int tap_device_compare(const struct tap_device_spec *spec, int fd, char *drift, size_t bytes)
{
	char present[IF_NAMESIZE];
	struct link_ctx *ctx;
	struct job job;
	int error = job_init(&job, spec, drift, bytes);

	if (error == 0)
		error = open_device(&job, fd, present, &ctx);
	if (error < 0)
		return error;
	error = compare(&job, ctx, present);
	link_close(ctx);
	return error;
}
