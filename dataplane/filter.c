/* SPDX-License-Identifier: BSD-3-Clause */
/* Classic BPF: McCanne and Jacobson, "The BSD Packet Filter", 1993; codes of linux/filter.h. */
#include "dataplane/filter.h"

#include <linux/filter.h>
#include <stddef.h>

static bool is_load(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_B | BPF_MSH:
		return true;
	default:
		return false;
	}
}

static bool is_alu(const struct dp_insn *insn)
{
	bool is_constant = BPF_SRC(insn->code) == BPF_K;

	if ((insn->code & ~(BPF_X | 0xf0)) != BPF_ALU)
		return false;
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		return true;
	case BPF_DIV:
	case BPF_MOD:
		return !is_constant || insn->k != 0;
	case BPF_LSH:
	case BPF_RSH:
		return !is_constant || insn->k < 32;
	case BPF_NEG:
		return is_constant;
	default:
		return false;
	}
}

/* left: instructions behind this one. */
static bool is_jump(const struct dp_insn *insn, unsigned int left)
{
	if ((insn->code & ~(BPF_X | 0xf0)) != BPF_JMP)
		return false;
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->code == (BPF_JMP | BPF_JA) && insn->k < left;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return insn->jt < left && insn->jf < left;
	default:
		return false;
	}
}

static bool is_legal(const struct dp_insn *insn, unsigned int left)
{
	switch (insn->code) {
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return insn->k < FILTER_MEMORY_WORDS;
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	default:
		return is_load(insn->code) || is_alu(insn) || is_jump(insn, left);
	}
}

bool filter_check(const struct dp_insn *program, unsigned int n)
{
	if (n > DP_INSNS_MAX)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (!is_legal(&program[i], n - 1 - i))
			return false;
	}
	return n == 0 || BPF_CLASS(program[n - 1].code) == BPF_RET;
}

struct machine {
	const uint8_t *bytes;
	uint32_t n_bytes, len;
	uint32_t a, x;
	uint32_t memory[FILTER_MEMORY_WORDS];
};

/* Big-endian, `size` bytes at `at`. false: not there. */
static bool fetch(const struct machine *m, uint64_t at, unsigned int size, uint32_t *value)
{
	if (at + size > m->n_bytes)
		return false;
	*value = 0;
	for (unsigned int i = 0; i < size; i++)
		*value = *value << 8 | m->bytes[at + i];
	return true;
}

static unsigned int size_of(uint16_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_W:
		return 4;
	case BPF_H:
		return 2;
	default:
		return 1;
	}
}

/* false: beyond what there is. */
static bool load(struct machine *m, const struct dp_insn *insn)
{
	uint32_t *to = BPF_CLASS(insn->code) == BPF_LD ? &m->a : &m->x;
	uint32_t byte;

	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		return fetch(m, insn->k, size_of(insn->code), to);
	case BPF_IND:
		return fetch(m, (uint64_t)m->x + insn->k, size_of(insn->code), to);
	case BPF_MSH: /* length of an IPv4 header */
		if (!fetch(m, insn->k, 1, &byte))
			return false;
		*to = (byte & 15) * 4;
		return true;
	case BPF_LEN:
		*to = m->len;
		return true;
	case BPF_MEM:
		*to = m->memory[insn->k];
		return true;
	default:
		*to = insn->k;
		return true;
	}
}

/* false: a division by zero. */
static bool calculate(struct machine *m, const struct dp_insn *insn)
{
	uint32_t b = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		m->a += b;
		return true;
	case BPF_SUB:
		m->a -= b;
		return true;
	case BPF_MUL:
		m->a *= b;
		return true;
	case BPF_OR:
		m->a |= b;
		return true;
	case BPF_AND:
		m->a &= b;
		return true;
	case BPF_XOR:
		m->a ^= b;
		return true;
	case BPF_LSH:
		m->a = b < 32 ? m->a << b : 0;
		return true;
	case BPF_RSH:
		m->a = b < 32 ? m->a >> b : 0;
		return true;
	case BPF_NEG:
		m->a = 0 - m->a;
		return true;
	case BPF_DIV:
		m->a = b != 0 ? m->a / b : 0;
		return b != 0;
	default:
		m->a = b != 0 ? m->a % b : 0;
		return b != 0;
	}
}

/* How many instructions are skipped. */
static uint32_t jump(const struct machine *m, const struct dp_insn *insn)
{
	uint32_t b = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return m->a == b ? insn->jt : insn->jf;
	case BPF_JGT:
		return m->a > b ? insn->jt : insn->jf;
	case BPF_JGE:
		return m->a >= b ? insn->jt : insn->jf;
	case BPF_JSET:
		return (m->a & b) != 0 ? insn->jt : insn->jf;
	default:
		return insn->k;
	}
}

bool filter_run(const struct dp_insn *insn, const uint8_t *bytes, uint32_t n_bytes, uint32_t len)
{
	struct machine m = {.bytes = bytes, .n_bytes = n_bytes, .len = len};

	/* Every jump goes forward: it ends. */
	for (;; insn++) {
		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!load(&m, insn))
				return false;
			break;
		case BPF_ST:
			m.memory[insn->k] = m.a;
			break;
		case BPF_STX:
			m.memory[insn->k] = m.x;
			break;
		case BPF_ALU:
			if (!calculate(&m, insn))
				return false;
			break;
		case BPF_JMP:
			insn += jump(&m, insn);
			break;
		case BPF_RET:
			return (BPF_RVAL(insn->code) == BPF_A ? m.a : insn->k) != 0;
		default:
			if (BPF_MISCOP(insn->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
			break;
		}
	}
}
