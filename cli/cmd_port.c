/* SPDX-License-Identifier: BSD-3-Clause */
/* weft port ... */
#include "cli/cmds.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/object.h"
#include "cli/qemu_args.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "type", .heading = "TYPE"},
	{.key = "segment", .heading = "SEGMENT"},
	{.key = "trunk", .heading = "TRUNK", .format = print_cell_trunk, .rare = true},
	{.key = "native", .heading = "NATIVE", .rare = true},
	{.key = "vm", .heading = "VM"},
	{.key = "channel", .heading = "CHANNEL", .rare = true},
	{.key = "mac", .heading = "MAC"},
	{.key = "state", .heading = "STATE"},
	{.key = "status.link", .heading = "LINK"},
	{.key = "status.reason", .heading = "REASON"},
};

static const struct object_kind port = {
	.noun = "port",
	.path = "/v1/ports",
	.list = "ports",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_port_add(const struct call *call)
{
	return object_add(call, &port);
}

int cmd_port_list(const struct call *call)
{
	return object_list(call, &port);
}

int cmd_port_show(const struct call *call)
{
	return object_show(call, &port);
}

int cmd_port_set(const struct call *call)
{
	return object_set(call, &port);
}

int cmd_port_del(const struct call *call)
{
	return object_del(call, &port);
}

static void print_types(FILE *out, const json_t *answer)
{
	const json_t *types = json_object_get(answer, "types");
	const json_t *type;
	size_t index;

	json_array_foreach(types, index, type) {
		char name[PRINT_CELL_BYTES], help[PRINT_CELL_BYTES];

		print_cell_plain(json_object_get(type, "name"), name, sizeof(name));
		print_cell_plain(json_object_get(type, "help"), help, sizeof(help));
		fprintf(out, "%s%s: %s\n", index ? "\n" : "", name, help);
		object_print_keys(out, json_object_get(type, "options"));
	}
	fprintf(out, "\nevery type:\n");
	object_print_keys(out, json_object_get(answer, "common"));
}

int cmd_port_types(const struct call *call)
{
	json_t *answer;
	int code = call_get(call, "/v1/port-types", &answer);

	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	else
		print_types(call->out, answer);
	json_decref(answer);
	return code;
}

/* What the words of qemu-args say. */
struct guest {
	const char *names[CMD_WORDS_MAX];
	size_t n_names;
	const char *memory; /* NULL: weftd's default */
	const char *accel;
	char vm[PRINT_CELL_BYTES]; /* of the first port that names one */
};

static bool has_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int add_name(const struct call *call, struct guest *guest, const char *name)
{
	for (size_t i = 0; i < guest->n_names; i++) {
		if (strcmp(guest->names[i], name) == 0)
			return call_usage(call, "port %s is given twice", name);
	}
	guest->names[guest->n_names++] = name;
	return CALL_DONE;
}

static int read_guest(const struct call *call, struct guest *guest)
{
	int code = CALL_DONE;

	for (int i = 0; i < call->n_words && !code; i++) {
		const char *word = call->words[i], *value = strchr(word, '=');

		if (!value)
			code = add_name(call, guest, word);
		else if (strncmp(word, "memory=", strlen("memory=")) == 0)
			guest->memory = value + 1;
		else if (strcmp(word, "accel=tcg") == 0 || strcmp(word, "accel=kvm") == 0)
			guest->accel = value + 1;
		else
			return call_usage(call, "'%s' is neither memory=SIZE nor accel=kvm|tcg",
					  word);
	}
	if (!code && guest->n_names == 0)
		code = call_usage(call, "name a port");
	if (!code && !guest->accel)
		guest->accel = has_kvm() ? "kvm" : "tcg";
	return code;
}

/* Ports of two machines in one QEMU: allowed, but hardly meant. */
static void check_vm(const struct call *call, struct guest *guest, size_t i, const json_t *answer)
{
	const char *vm = json_string_value(json_object_get(answer, "vm"));

	if (!vm || *vm == '\0')
		return;
	if (guest->vm[0] == '\0')
		snprintf(guest->vm, sizeof(guest->vm), "%s", vm);
	else if (strcmp(guest->vm, vm) != 0)
		call_fail(call, CALL_DONE, "warning: port %s is of vm %s, a port before it of %s",
			  guest->names[i], vm, guest->vm);
}

/* Appends what QEMU needs for card `i`; what the machine needs once comes with the first. */
static int ask_qemu_args(const struct call *call, struct guest *guest, size_t i, json_t *args)
{
	char path[CLIENT_PATH_BYTES];
	json_t *answer;
	int code = call_name_path(call, path, "/v1/ports", guest->names[i]);

	if (!code && client_path_add(path, "/qemu-args"))
		code = call_usage(call, "the name is too long");
	if (!code && guest->memory)
		code = call_add_query(call, path, "memory", guest->memory);
	if (!code && strcmp(guest->accel, "tcg") == 0)
		code = call_add_query(call, path, "tcg", "1");
	if (!code && i > 0)
		code = call_add_query(call, path, "nic_only", "1");
	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	if (qemu_args_append(args, json_object_get(answer, "args")))
		code = call_fail(call, CALL_REFUSED,
				 "the answer for port %s holds no list of arguments",
				 guest->names[i]);
	else
		check_vm(call, guest, i, answer);
	json_decref(answer);
	return code;
}

int cmd_port_qemu_args(const struct call *call)
{
	struct guest guest = {0};
	json_t *args;
	int code = read_guest(call, &guest);

	if (code)
		return code;
	args = json_array();
	for (size_t i = 0; i < guest.n_names && !code; i++)
		code = ask_qemu_args(call, &guest, i, args);
	if (!code && call_is_raw(call))
		code = call_print_raw(call, args);
	else if (!code)
		qemu_args_print(call->out, args, isatty(fileno(call->out)));
	json_decref(args);
	return code;
}

int cmd_port_libvirt_xml(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *answer;
	const char *xml;
	struct guest guest = {0};
	int code = read_guest(call, &guest);

	if (!code && (guest.memory || guest.n_names > 1))
		code = call_usage(call, "one port, and at most accel=kvm|tcg");
	if (!code)
		code = call_name_path(call, path, "/v1/ports", guest.names[0]);

	if (!code && client_path_add(path, "/libvirt-xml"))
		code = call_usage(call, "the name is too long");
	if (!code && strcmp(guest.accel, "tcg") == 0)
		code = call_add_query(call, path, "tcg", "1");
	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	xml = json_string_value(json_object_get(answer, "xml"));
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	else if (!xml)
		code = call_fail(call, CALL_REFUSED,
				 "the answer holds no XML; weft and weftd differ in version");
	else
		fprintf(call->out, "%s%s", xml, xml[0] && xml[strlen(xml) - 1] == '\n' ? "" : "\n");
	json_decref(answer);
	return code;
}
