/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports: text, JSON, JUnit. */
#include "scenario/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW_BYTES 16

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static bool is_result(const json_t *result, const char *word)
{
	return strcmp(text_of(result, "result"), word) == 0;
}

struct report_counts report_count(const json_t *results)
{
	struct report_counts counts = {0};
	const json_t *result;
	size_t i;

	json_array_foreach(results, i, result) {
		counts.passed += is_result(result, "passed");
		counts.failed += is_result(result, "failed");
		counts.updated += is_result(result, "updated");
		counts.invalid += is_result(result, "invalid");
	}
	return counts;
}

/* --- one difference --- */

/* The row of bytes around a place, as hexadecimal. */
static void print_row(FILE *out, const char *label, const json_t *packet, long long byte)
{
	const char *hex = text_of(packet, "hex");
	size_t start = (size_t)(byte / ROW_BYTES) * ROW_BYTES, n = strlen(hex) / 2;

	fprintf(out, "        %-8s  %04zx ", label, start);
	for (size_t i = start; i < start + ROW_BYTES && i < n; i++)
		fprintf(out, " %.2s", hex + 2 * i);
	fputc('\n', out);
}

/* Both rows, with a mark under the byte. */
static void print_rows(FILE *out, const json_t *difference, long long byte)
{
	const json_t *expected = json_object_get(difference, "expected");
	const json_t *seen = json_object_get(difference, "seen");

	if (byte < 0 || (size_t)byte >= strlen(text_of(expected, "hex")) / 2 ||
	    (size_t)byte >= strlen(text_of(seen, "hex")) / 2)
		return;
	print_row(out, "expected", expected, byte);
	print_row(out, "seen", seen, byte);
	fprintf(out, "        %15s%*s^^\n", "", (int)(byte % ROW_BYTES) * 3 + 1, "");
}

static void print_packet(FILE *out, const char *label, const json_t *packet)
{
	const char *hex = text_of(packet, "hex");
	size_t n = strlen(hex) / 2;

	fprintf(out, "        %-8s  at %s s, %lld bytes:", label, text_of(packet, "time"),
		number_of(packet, "bytes"));
	for (size_t i = 0; i < n && i < 3 * (size_t)ROW_BYTES; i++)
		fprintf(out, "%s%.2s", i % 2 == 0 ? " " : "", hex + 2 * i);
	fputs(n > 3 * (size_t)ROW_BYTES ? " ...\n" : "\n", out);
}

static void print_changed(FILE *out, const json_t *difference)
{
	const json_t *fields = json_object_get(difference, "fields"), *field;
	long long byte = -1;
	size_t i;

	fprintf(out, "    %s: packet %lld", text_of(difference, "port"),
		number_of(difference, "packet"));
	if (number_of(difference, "packet") != number_of(difference, "seen_packet"))
		fprintf(out, " (seen as packet %lld)", number_of(difference, "seen_packet"));
	fprintf(out, " differs in %zu field(s)\n", json_array_size(fields));
	json_array_foreach(fields, i, field) {
		fprintf(out, "        %-18s %s, not %s", text_of(field, "field"),
			text_of(field, "seen"), text_of(field, "expected"));
		if (json_object_get(field, "byte") != NULL)
			fprintf(out, " (byte %lld)", number_of(field, "byte"));
		fputc('\n', out);
		if (byte < 0 && json_object_get(field, "byte") != NULL)
			byte = number_of(field, "byte");
	}
	print_rows(out, difference, byte);
}

static void print_difference(FILE *out, const json_t *difference)
{
	const char *what = text_of(difference, "what"), *port = text_of(difference, "port");

	if (strcmp(what, "changed") == 0) {
		print_changed(out, difference);
	} else if (strcmp(what, "missing") == 0) {
		fprintf(out, "    %s: packet %lld is missing\n", port,
			number_of(difference, "packet"));
		print_packet(out, "expected", json_object_get(difference, "expected"));
	} else if (strcmp(what, "unexpected") == 0) {
		fprintf(out, "    %s: packet %lld was not expected\n", port,
			number_of(difference, "seen_packet"));
		print_packet(out, "seen", json_object_get(difference, "seen"));
	} else if (strcmp(what, "more") == 0) {
		fprintf(out, "    %s: %lld more packet(s) differ\n", port,
			number_of(difference, "count"));
	} else if (strcmp(what, "drops") == 0) {
		fprintf(out, "    %s: %lld dropped by %s, not %lld\n", port,
			number_of(difference, "seen"), text_of(difference, "reason"),
			number_of(difference, "expected"));
	} else if (strcmp(what, "lost") == 0) {
		fprintf(out, "    %s: %lld lost for want of a port, not %lld\n", port,
			number_of(difference, "seen"), number_of(difference, "expected"));
	} else {
		fprintf(out, "    frames unaccounted for: %s\n", text_of(difference, "text"));
	}
}

/* --- text --- */

static void print_below(FILE *out, const json_t *result)
{
	const json_t *item;
	size_t i;

	if (json_object_get(result, "problem") != NULL)
		fprintf(out, "    %s\n", text_of(result, "problem"));
	json_array_foreach(json_object_get(result, "differences"), i, item)
		print_difference(out, item);
	json_array_foreach(json_object_get(result, "files"), i, item)
		fprintf(out, "    wrote %s\n", json_string_value(item));
}

void report_text(FILE *out, unsigned int number, const json_t *result)
{
	bool is_ok = is_result(result, "passed") || is_result(result, "updated");

	fprintf(out, "%s %u - %s\n", is_ok ? "ok" : "not ok", number, text_of(result, "name"));
	print_below(out, result);
}

void report_text_end(FILE *out, const json_t *results)
{
	struct report_counts counts = report_count(results);

	fprintf(out, "1..%zu\n# %u passed, %u failed", json_array_size(results), counts.passed,
		counts.failed);
	if (counts.updated != 0)
		fprintf(out, ", %u updated", counts.updated);
	if (counts.invalid != 0)
		fprintf(out, ", %u invalid", counts.invalid);
	fputc('\n', out);
}

/* --- JSON, JUnit --- */

int report_json(FILE *out, json_t *results)
{
	struct report_counts counts = report_count(results);
	json_t *all = json_pack("{s:i, s:i, s:i, s:i, s:O}", "passed", (int)counts.passed, "failed",
				(int)counts.failed, "updated", (int)counts.updated, "invalid",
				(int)counts.invalid, "scenarios", results);
	int error = all == NULL || json_dumpf(all, out, JSON_INDENT(2)) < 0 ? -EIO : 0;

	fputc('\n', out);
	json_decref(all);
	return error;
}

/* Control characters have no place in XML 1.0. */
static void print_xml(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc((unsigned char)*text < ' ' && *text != '\n' && *text != '\t' ? '?'
											   : *text,
			      out);
		}
	}
}

static void print_case(FILE *out, const json_t *result)
{
	const char *name = text_of(result, "name"), *slash = strrchr(name, '/');
	const char *element = is_result(result, "failed")    ? "failure"
			      : is_result(result, "invalid") ? "error"
							     : NULL;
	char *below = NULL;
	size_t bytes;
	FILE *text = open_memstream(&below, &bytes);

	if (text == NULL)
		return;
	print_below(text, result);
	fclose(text);
	fputs("    <testcase classname=\"", out);
	if (slash != NULL)
		fprintf(out, "%.*s", (int)(slash - name), name);
	fputs("\" name=\"", out);
	print_xml(out, slash != NULL ? slash + 1 : name);
	fputs(element != NULL ? "\">\n" : "\"/>\n", out);
	if (element != NULL) {
		fprintf(out, "      <%s message=\"", element);
		print_xml(out, text_of(result, "about"));
		fputs("\">", out);
		print_xml(out, below);
		fprintf(out, "</%s>\n    </testcase>\n", element);
	}
	free(below);
}

void report_junit(FILE *out, const json_t *results)
{
	struct report_counts counts = report_count(results);
	const json_t *result;
	size_t i;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		"  <testsuite name=\"weft\" tests=\"%zu\" failures=\"%u\" errors=\"%u\">\n",
		json_array_size(results), counts.failed, counts.invalid);
	json_array_foreach(results, i, result)
		print_case(out, result);
	fputs("  </testsuite>\n</testsuites>\n", out);
}
