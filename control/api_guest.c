/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers that say how to plug a guest into a vhost-user port: QEMU's arguments, libvirt's XML.
 * Whose the socket is follows the port's mode; either way the client connects again when the other
 * end restarts. Runs on weftd's thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/channels.h"
#include "control/spec.h"

#define QUEUE_SIZE 1024	   /* the largest that QEMU takes; its default of 256 drops bursts */
#define QUEUE_SIZE_MIN 256 /* the smallest, a power of two as all between */
#define TARGETS_IN_RING 4  /* a full ring is this many times the latency that is wanted */
#define MEMORY_DEFAULT "1G"

struct guest {
	const struct model_port *port;
	uint16_t mtu;
	bool is_listening; /* QEMU makes the socket: the port is the client */
	unsigned int n_queues;
	unsigned int tx_size; /* of the ring that the guest sends by, in frames */
	char socket[DP_TEXT_BYTES];
	char mac[SPEC_MAC_BYTES];
};

bool api_guest_socket(const struct control *control, const struct model_port *port, char *path,
		      size_t path_bytes)
{
	const char *socket = model_option_text(port, "socket");

	if (port_kinds_option(port->kind, "socket") < 0)
		return false;
	if (socket != NULL)
		snprintf(path, path_bytes, "%s", socket);
	else
		snprintf(path, path_bytes, "%s/vhost/%s.sock", control->run_dir, port->name);
	return true;
}

/* Frames that wait for a slow channel wait in the guest's ring: the longer it is, the later they
 * are. What is for the guest waits in weft, and its ring only has to take bursts. */
static unsigned int tx_size_of(const struct model *model, const struct model_port *port)
{
	uint64_t frame_bytes = channels_frame_bytes(model);
	struct dp_channel_way ways[DP_WAYS];
	struct model_channel channel;
	unsigned int size = QUEUE_SIZE_MIN;

	if (model_option_is(port, "queue", "switch") || !channels_resolve(model, port, &channel))
		return QUEUE_SIZE;
	channels_derive(model, &channel, frame_bytes, ways);
	const struct dp_channel_way *tx = &ways[DP_TX];
	/* The largest of each is 400 Gbit/s and a minute: the product fits 64 bits. */
	uint64_t bytes = tx->ceiling_bps / 8 * tx->target_us / 1000000 * TARGETS_IN_RING;

	while (size < QUEUE_SIZE && size * frame_bytes < bytes)
		size *= 2;
	return tx->ceiling_bps != 0 ? size : QUEUE_SIZE;
}

static int find_guest(const struct control *control, const struct http_request *request,
		      struct guest *guest, struct problem *problem)
{
	const struct model_port *port = api_find_port(control, request->name, problem);

	if (port == NULL)
		return -ENOENT;
	if (!api_guest_socket(control, port, guest->socket, sizeof(guest->socket)))
		return problem_set(
			problem, -EINVAL, 409, "not-for-this-type",
			"port %s: a %s port is for namespaces and containers; for a guest use "
			"type=vhost-user",
			port->name, port->kind->name);
	guest->n_queues = (unsigned int)model_option_number(port, "queues", 1);
	guest->tx_size = tx_size_of(control->model, port);
	guest->port = port;
	guest->mtu = model_port_mtu(control->model, port);
	guest->is_listening = model_option_is(port, "mode", "client");
	spec_format_mac(port->mac, guest->mac);
	return 0;
}

__attribute__((format(printf, 2, 3))) static void add(json_t *list, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(list, json_string(text));
}

/* QEMU parts options by commas; one that is meant is written twice. */
static void double_commas(const char *text, char *out, size_t out_bytes)
{
	size_t len = 0;

	for (; *text != '\0' && len + 2 < out_bytes; text++) {
		if (*text == ',')
			out[len++] = ',';
		out[len++] = *text;
	}
	out[len] = '\0';
}

/* A size as QEMU writes it: digits and one of M, G. */
static int read_memory(const struct http_request *request, const char **memory,
		       struct problem *problem)
{
	const char *text = http_query(request, "memory");
	size_t digits;

	*memory = text != NULL ? text : MEMORY_DEFAULT;
	digits = strspn(*memory, "0123456789");
	if (digits > 0 && digits < 8 && (*memory)[0] != '0' &&
	    (strcmp(*memory + digits, "M") == 0 || strcmp(*memory + digits, "G") == 0))
		return 0;
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "memory=%.40s: write the guest's memory as 256M or 4G", *memory);
}

/* Once for each guest: its cards share the memory. */
static void add_machine(json_t *args, const char *memory, bool is_tcg)
{
	add(args, "-accel");
	add(args, is_tcg ? "tcg" : "kvm");
	add(args, "-m");
	add(args, "%s", memory);
	add(args, "-object");
	add(args, "memory-backend-memfd,id=weft-mem,share=on,size=%s", memory);
	add(args, "-numa");
	add(args, "node,memdev=weft-mem");
}

/* Queues: a vector for each of a pair, one for the control queue, one for changes of the card. */
static void add_card(json_t *args, const struct guest *guest, bool is_tcg)
{
	const char *name = guest->port->name;
	unsigned int n_queues = guest->n_queues;
	char queues[24] = "", vectors[24] = "";

	if (n_queues > 1) {
		snprintf(queues, sizeof(queues), ",queues=%u", n_queues);
		snprintf(vectors, sizeof(vectors), ",vectors=%u", 2 * n_queues + 2);
	}
	add(args, "-netdev");
	add(args, "vhost-user,id=weft-net-%s,chardev=weft-chr-%s%s", name, name, queues);
	add(args, "-device");
	add(args,
	    "virtio-net-pci,id=weft-nic-%s,netdev=weft-net-%s,mac=%s,host_mtu=%u,"
	    "mrg_rxbuf=on,rx_queue_size=%d,tx_queue_size=%u%s%s",
	    name, name, guest->mac, guest->mtu, QUEUE_SIZE, guest->tx_size,
	    n_queues > 1 ? ",mq=on" : "", is_tcg ? ",vectors=0" : vectors);
}

int api_get_qemu_args(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem)
{
	const struct control *control = ctx;
	struct guest guest;
	char path[DP_TEXT_BYTES * 2];
	const char *memory = NULL;
	int error = find_guest(control, request, &guest, problem);

	if (error == 0)
		error = read_memory(request, &memory, problem);
	if (error < 0)
		return error;
	const char *name = guest.port->name;
	bool is_tcg = http_query_is_on(request, "tcg");
	json_t *args = json_array();
	if (!http_query_is_on(request, "nic_only"))
		add_machine(args, memory, is_tcg);
	double_commas(guest.socket, path, sizeof(path));
	add(args, "-chardev");
	add(args, "socket,id=weft-chr-%s,path=%s,%s", name, path,
	    guest.is_listening ? "server=on,wait=off" : "reconnect=1");
	add_card(args, &guest, is_tcg);
	return api_reply(control, json_pack("{s:o,s:s}", "args", args, "vm", guest.port->vm), reply,
			 problem);
}

/* Text inside an attribute. Names are safe; a socket's path is a user's. */
static void escape(const char *text, char *out, size_t out_bytes)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\'', "&apos;"}};
	size_t len = 0;

	for (; *text != '\0' && len + 8 < out_bytes; text++) {
		const char *entity = NULL;

		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			entity = *text == entities[i].c ? entities[i].entity : entity;
		if (entity != NULL)
			len += (size_t)snprintf(out + len, out_bytes - len, "%s", entity);
		else
			out[len++] = *text;
	}
	out[len] = '\0';
}

/* A card's name in libvirt, by which the MTU is set on it: <mtu> is for interfaces with a device
 * on the host, and libvirt refuses to start a domain that has it on others. */
static void write_alias(const char *port, char *alias, size_t alias_bytes)
{
	snprintf(alias, alias_bytes, "ua-weft-%s", port);
	for (char *c = alias; *c != '\0'; c++)
		*c = *c == '.' ? '_' : *c;
}

int api_get_libvirt_xml(void *ctx, const struct http_request *request, struct http_reply *reply,
			struct problem *problem)
{
	const struct control *control = ctx;
	struct guest guest;
	char socket[DP_TEXT_BYTES * 6];
	char xml[4096], queues[24] = "", alias[DP_NAME_BYTES + 16];
	/* As in add_card(). */
	static const char no_vectors[] =
		"      <qemu:property name='vectors' type='unsigned' value='0'/>\n";
	int error = find_guest(control, request, &guest, problem);

	if (error < 0)
		return error;
	escape(guest.socket, socket, sizeof(socket));
	write_alias(guest.port->name, alias, sizeof(alias));
	if (guest.n_queues > 1)
		snprintf(queues, sizeof(queues), " queues='%u'", guest.n_queues);
	snprintf(xml, sizeof(xml),
		 "<!-- once in the domain: the guest's memory must be shared with weft -->\n"
		 "<memoryBacking>\n"
		 "  <source type='memfd'/>\n"
		 "  <access mode='shared'/>\n"
		 "</memoryBacking>\n"
		 "<!-- in <devices>: port %s -->\n"
		 "<interface type='vhostuser'>\n"
		 "  <mac address='%s'/>\n"
		 "  <source type='unix' path='%s' %s"
		 "  <model type='virtio'/>\n"
		 "  <driver%s rx_queue_size='%d' tx_queue_size='%u'/>\n"
		 "  <alias name='%s'/>\n"
		 "</interface>\n"
		 "<!-- once in the domain, for all its cards; it begins with <domain "
		 "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'> -->\n"
		 "<qemu:override>\n"
		 "  <qemu:device alias='%s'>\n"
		 "    <qemu:frontend>\n"
		 "      <qemu:property name='host_mtu' type='unsigned' value='%u'/>\n"
		 "%s"
		 "    </qemu:frontend>\n"
		 "  </qemu:device>\n"
		 "</qemu:override>\n",
		 guest.port->name, guest.mac, socket,
		 guest.is_listening ? "mode='server'/>\n"
				    : "mode='client'>\n"
				      "    <reconnect enabled='yes' timeout='1'/>\n"
				      "  </source>\n",
		 queues, QUEUE_SIZE, guest.tx_size, alias, alias, guest.mtu,
		 http_query_is_on(request, "tcg") ? no_vectors : "");
	return api_reply(control, json_pack("{s:s}", "xml", xml), reply, problem);
}
