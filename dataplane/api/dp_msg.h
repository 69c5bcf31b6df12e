/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages between weftd and weft-dataplane.
 *
 * Transport: Unix socket RUN-DIR/dataplane.sock, SOCK_SEQPACKET, mode 0600. One message is one
 * packet; descriptors travel with it (SCM_RIGHTS). Structs of fixed width, host byte order, no
 * implicit padding; strings are NUL-terminated inside their array and zero-filled. The receiver
 * checks the size of every message, and that every string ends.
 *
 * Conversation. The client sends DP_HELLO first; the dataplane answers DP_WELCOME (with a read-only
 * descriptor of the counters memfd) or DP_DONE with an error, and closes. It accepts versions
 * DP_VERSION and DP_VERSION - 1, and answers each message in its own; a client refuses a mismatch
 * before any change.
 *
 * A change is prepare, commit, publish, release:
 *     DP_BEGIN                               one transaction at a time: -EBUSY otherwise
 *     DP_SEGMENT_PUT/DEL, DP_PORT_PUT/DEL,
 *     DP_POOL_PUT/DEL, DP_CHANNEL_PUT/DEL,
 *     DP_LOAN_PUT/DEL                        staged in order; no answer each; names need only be
 *                                            unique in the result
 *     DP_PREPARE  -> DP_DONE                 checked as a whole, everything opened that can fail;
 *                                            on an error the transaction is gone, nothing changed
 *     DP_COMMIT   -> DP_DONE                 publishes; cannot fail
 *     DP_ABORT    -> DP_DONE                 before DP_COMMIT; closing the socket aborts too
 *
 * Every request other than the staged ones is answered by exactly one DP_DONE with the request's
 * cookie, after any data messages (same cookie): DP_DUMP sends every pool as DP_POOL_PUT, every
 * channel as DP_CHANNEL_PUT, every loan as DP_LOAN_PUT with what is left of its time, every segment
 * as DP_SEGMENT_PUT and every port as DP_PORT_PUT followed by its DP_PORT_STATE (to a client of
 * version 1, segments and ports alone); DP_STATES the states alone; DP_FDB_DUMP sends a page of the
 * forwarding table in DP_FDB batches, of which there is at least one; DP_NEIGH_DUMP sends DP_NEIGH
 * batches; DP_PORT_FDS gives back duplicates of the descriptors that came with a port (DP_PORT_FDS
 * answer); DP_QUEUE_DUMP sends a DP_QUEUE for each receive queue that is polled. DP_QUEUE_MOVE is
 * outside of transactions: which worker does what is not configuration, and the dataplane forgets
 * it. DP_CAPTURE_OPEN sends DP_CAPTURE with the memory that frames are put into (record.h);
 * DP_DROPPED_DUMP sends DP_DROPPED batches; DP_TRACE sends a DP_TRACE_STEP for each stage that a
 * frame would pass, and for each receiver. DP_REPLAY_OPEN sends DP_REPLAY with the memory that
 * frames are put into (record.h), DP_REPLAY_FATES with the memory in which one reads what became of
 * them (fate.h), and DP_REPLAY_LOOK a DP_REPLAY_STATE. DP_FOLLOW_OPEN sends DP_FOLLOW;
 * DP_FOLLOW_LOOK sends, of each frame that was followed since the last one (16 at most), a
 * DP_FOLLOWED and its DP_TRACE_STEPs, and at the end a DP_FOLLOW_STATE. DP_FLIGHT_TAKE
 * sends a DP_FLIGHT, if there is one, and then the frames of it in DP_DROPPED batches.
 */
#pragma once

#include <stdint.h>

#define DP_VERSION 2
#define DP_NAME_BYTES 64	/* with the final NUL */
#define DP_TEXT_BYTES 240
#define DP_MESSAGE_BYTES 16384	/* no message is larger */
#define DP_FDS_MAX 16		/* descriptors with one message */
#define DP_OPTIONS_MAX 32
#define DP_MEMBERS_MAX 512
#define DP_ADDRESSES_MAX 16

enum dp_type {
	DP_HELLO = 1,
	DP_WELCOME,
	DP_DONE,
	DP_BEGIN,
	DP_SEGMENT_PUT,
	DP_SEGMENT_DEL,
	DP_PORT_PUT,
	DP_PORT_DEL,
	DP_PREPARE,
	DP_COMMIT,
	DP_ABORT,
	DP_DUMP,
	DP_PORT_STATE,
	DP_FDB_DUMP,
	DP_FDB,
	DP_PORT_FDS,
	DP_NEIGH_DUMP,
	DP_NEIGH,
	DP_STATES,
	DP_QUEUE_DUMP,
	DP_QUEUE,
	DP_QUEUE_MOVE,
	DP_NEXTHOP,
	DP_POOL_PUT,	/* from here on: version 2 */
	DP_POOL_DEL,
	DP_CHANNEL_PUT,
	DP_CHANNEL_DEL,
	DP_LOAN_PUT,
	DP_LOAN_DEL,
	DP_CAPTURE_OPEN,
	DP_CAPTURE_CLOSE,
	DP_CAPTURE,
	DP_DROPPED_DUMP,
	DP_DROPPED,
	DP_TRACE,
	DP_TRACE_STEP,
	DP_REPLAY_OPEN,
	DP_REPLAY_START,
	DP_REPLAY_LOOK,
	DP_REPLAY_CLOSE,
	DP_REPLAY,
	DP_REPLAY_STATE,
	DP_REPLAY_FATES,
	DP_FOLLOW_OPEN,
	DP_FOLLOW_LOOK,
	DP_FOLLOW_CLOSE,
	DP_FOLLOW,
	DP_FOLLOWED,
	DP_FOLLOW_STATE,
	DP_FLIGHT_TAKE,
	DP_FLIGHT,
};

struct dp_header {
	uint32_t bytes;		/* whole message with this header */
	uint16_t type;		/* enum dp_type */
	uint16_t version;	/* DP_VERSION of the sender */
	uint64_t cookie;	/* chosen by the client, repeated in the answers */
};

/* DP_HELLO, DP_BEGIN, DP_PREPARE, DP_COMMIT, DP_ABORT, DP_DUMP, DP_STATES, DP_NEIGH_DUMP,
 * DP_QUEUE_DUMP, DP_DROPPED_DUMP: the header alone. */
struct dp_plain {
	struct dp_header header;
};

struct dp_welcome {
	struct dp_header header;
	uint64_t epoch;		/* of this start of the dataplane, as in counters_header */
	uint32_t n_workers;
	uint32_t hugepages;	/* 1: EAL memory is on huge pages */
	uint32_t pid;
	uint32_t reserved;
	char package[32];	/* "weft 0.1.0" */
};

struct dp_done {
	struct dp_header header;
	int32_t error;		/* 0 or -errno */
	uint32_t reserved;
	char text[DP_TEXT_BYTES];	/* on error: what is wrong and what to do; one line */
};

/* A value of one row of an option table (options.h). */
struct dp_option {
	uint16_t index;		/* of the row */
	uint16_t kind;		/* enum option_kind, must be the row's */
	uint32_t reserved;
	union {
		uint64_t number;	/* OPTION_BOOL, _NUMBER, _CHOICE (index of the choice) */
		char text[120];		/* OPTION_TEXT, NUL-terminated */
	};
};

/* What frames from a port are held to, as bits: of a segment for all its ports, of a port added or
 * taken away. */
enum dp_guard {
	DP_GUARD_MAC = 1,	/* sender is the port's MAC */
	DP_GUARD_IP = 2,	/* IP source is one of the port's addresses, if it has any */
	DP_GUARD_ARP = 4,	/* ARP and ND claim those addresses only, for the MAC that sends */
	DP_GUARD_DHCP = 8,	/* no DHCP server */
	DP_GUARD_RA = 16,	/* no router: no advertisements, no redirects */
	DP_GUARD_UNREADABLE = 32,	/* headers can be read to the end (guard_parse.h) */
	DP_GUARD_SNOOP = 64,	/* no guard: what ARP and ND claim goes to the neighbour table */
	DP_GUARD_ALL = 127,
};

/* Kinds of flood that storm control counts apart. */
enum dp_storm {
	DP_STORM_BROADCAST = 0,
	DP_STORM_MULTICAST,
	DP_STORM_UNKNOWN,	/* unicast to an address that nobody has been seen at */
	DP_STORM_KINDS,
};

/* An address, or all that begin with its first prefix_bits. */
struct dp_address {
	uint8_t ip[16];		/* IPv4: the first 4, the rest is zero */
	uint8_t version;	/* 4, 6 */
	uint8_t prefix_bits;
	uint8_t reserved[6];
};

/* The two ways of a machine's traffic, as the machine sees them. */
enum dp_way {
	DP_TX = 0,	/* what it sends */
	DP_RX,		/* what is for it */
	DP_WAYS,
};

/* What a channel can be held to: its clock (channel/bucket.h) counts no finer and no coarser. */
#define DP_RATE_BPS_MIN 1000ULL
#define DP_RATE_BPS_MAX 400000000000ULL

#define DP_WEIGHT_MAX 10000
#define DP_BURST_BYTES_MAX 64000000
#define DP_TARGET_US_MAX 60000000
#define DP_FRAMES_PER_S_MAX 1000000000

/* A capacity that channels divide, for each way. */
struct dp_pool {
	struct dp_header header;
	uint32_t id;		/* chosen by weftd from the same numbers as all ids */
	uint32_t reserved;
	uint64_t generation;
	uint64_t capacity_bps[DP_WAYS];	/* layer-2 bits per second */
	char name[DP_NAME_BYTES];
};

/* One way of a channel. weftd has derived what the user left open: nothing here is a default. */
struct dp_channel_way {
	uint64_t assured_bps;	/* layer-2 bits per second; 0: nothing is assured */
	uint64_t ceiling_bps;	/* 0: no limit of its own */
	uint64_t burst_bytes;	/* that may go at once after a pause */
	uint32_t weight;	/* its part of what the pool has spare; at least 1 */
	uint32_t target_us;	/* delay above which frames are marked, then dropped */
	uint32_t frames_per_s;	/* 0: no limit */
	uint32_t reserved;
};

enum dp_account {
	DP_ACCOUNT_L2 = 0,	/* layer-2 bytes without FCS */
	DP_ACCOUNT_WIRE,	/* and what each frame takes beside them on Ethernet: 24 bytes */
};

struct dp_channel {
	struct dp_header header;
	uint32_t id;
	uint32_t pool_id;	/* 0: none */
	uint64_t generation;
	uint32_t account;	/* enum dp_account */
	uint32_t reserved;
	struct dp_channel_way ways[DP_WAYS];
	char name[DP_NAME_BYTES];
};

/* For a time, `from` is assured of rate_bps less and `to` of so much more; the ceiling of `to` is
 * raised where it is below. Returns by itself, with weftd or without. In a dump: what is left. */
struct dp_loan {
	struct dp_header header;
	uint32_t id;
	uint32_t from_id, to_id;	/* channels of one pool */
	uint32_t ways;		/* bits: 1 << enum dp_way */
	uint64_t generation;
	uint64_t rate_bps;
	uint64_t remaining_ms;
};

struct dp_segment {
	struct dp_header header;
	uint32_t id;		/* chosen by weftd, never 0, never used again for another segment */
	uint32_t vni;		/* 24 bits */
	uint64_t generation;	/* grows with every change of the spec */
	uint16_t vlan;		/* 1..4094, 0: none */
	uint16_t mtu;		/* layer-3 bytes */
	uint32_t age_s;		/* learned addresses are forgotten after this silence */
	uint32_t storm_pps[DP_STORM_KINDS];	/* floods of all ports together; 0: no limit */
	uint16_t guards;	/* enum dp_guard */
	uint16_t reserved_guards;
	char name[DP_NAME_BYTES];
	uint32_t n_options;
	uint32_t channel_id;	/* of ports in it that have none of their own; 0: none */
	struct dp_option options[DP_OPTIONS_MAX];	/* segment_options.h */
};

/* One segment that a port carries. Access port: one member, untagged. */
struct dp_member {
	uint32_t segment_id;
	uint16_t vlan;		/* tag on the wire; 0: untagged */
	uint16_t reserved;
};

/*
 * A port. Descriptors, if the kind wants any (tap: one per queue), come with the message: tap
 * descriptors already carry the device (TUNSETIFF done), are non-blocking, with a vnet header of
 * 12 bytes. A put of an id that exists changes it: in place if only members, vm or the rows marked
 * live differ (then no descriptors are needed), else as a replace: the old one is closed.
 */
struct dp_port {
	struct dp_header header;
	uint64_t id;		/* chosen by weftd, never 0, never used again for another port */
	uint64_t generation;
	uint16_t n_members;
	uint16_t n_options;
	uint32_t channel_id;	/* its own, or its machine's; 0: those of its segments */
	uint8_t mac[6]; /* of the guest's card; zero: unknown */
	uint16_t mtu;	/* layer-3 bytes, told to the guest where the kind can; 0: unknown */
	uint32_t storm_pps[DP_STORM_KINDS];	/* floods from this port; 0: no limit */
	uint16_t guards_on, guards_off;	/* enum dp_guard: added to, taken from its segment's */
	uint16_t n_addresses;
	uint16_t reserved_guards[3];
	/* The guest's; none: unknown. Of an uplink: its VTEP, or none; of a peer: its VTEP. */
	struct dp_address addresses[DP_ADDRESSES_MAX];
	char name[DP_NAME_BYTES];
	char kind[16];		/* "vhost-user", "tap" */
	char vm[DP_NAME_BYTES];
	struct dp_member members[DP_MEMBERS_MAX];
	struct dp_option options[DP_OPTIONS_MAX];
};

/* DP_SEGMENT_DEL, DP_PORT_DEL, DP_POOL_DEL, DP_CHANNEL_DEL, DP_LOAN_DEL, DP_CAPTURE_CLOSE,
 * DP_PORT_FDS (request and answer; the answer carries descriptors), DP_CAPTURE (with one),
 * DP_REPLAY_LOOK, DP_REPLAY_CLOSE, DP_REPLAY and DP_REPLAY_FATES (with one), DP_FOLLOW_LOOK,
 * DP_FOLLOW_CLOSE, DP_FOLLOW. */
struct dp_object {
	struct dp_header header;
	uint64_t id;
};

enum dp_link {
	DP_LINK_DOWN = 0,	/* nobody is attached */
	DP_LINK_ATTACHED,	/* a front-end is there, its queues are not (all) running */
	DP_LINK_UP,		/* frames can pass both ways */
	DP_LINK_BROKEN,		/* quarantined; reason says why */
};

struct dp_port_state {
	struct dp_header header;
	uint64_t id;
	uint32_t link;		/* enum dp_link */
	uint32_t counters_slot;
	uint64_t features;	/* virtio feature bits negotiated; of a tap: those it amounts to */
	uint16_t n_queues;	/* rx queues that are polled */
	uint16_t n_regions;	/* memory regions mapped (vhost-user) */
	uint32_t attaches;	/* times a front-end connected since the port was made */
	uint64_t lost;		/* frames that the kernel could not keep until they were taken */
	char reason[DP_TEXT_BYTES];	/* why it is down or broken; empty when up */
};

#define DP_WORKER_ANY 0xffff

/* DP_QUEUE: a receive queue and the worker that polls it. DP_QUEUE_MOVE: to that worker, to stay
 * there; DP_WORKER_ANY: it stays where it is, and may move by load again. */
struct dp_queue {
	struct dp_header header;
	uint64_t port_id;
	uint16_t queue;
	uint16_t worker;
	uint16_t is_pinned;	/* DP_QUEUE: by DP_QUEUE_MOVE */
	uint16_t busy_permille;	/* DP_QUEUE: of a CPU, of late; 0 if there is one worker */
};

/* DP_NEXTHOP: how frames for a peer leave this host, as routes and neighbours say now. Not
 * configuration: outside of transactions, forgotten when the peer is closed, sent again by weftd
 * after every connect. What was said last counts for as long as nothing else is said. */
struct dp_nexthop {
	struct dp_header header;
	uint64_t peer_id;	/* port of kind peer */
	uint64_t uplink_id;	/* port of kind uplink that has a VTEP; 0: no way is known */
	uint8_t dst_mac[6];	/* of the next hop */
	uint8_t src_mac[6];	/* of the uplink's device */
	uint16_t mtu;		/* of the path, layer-3 bytes of the outer packet */
	uint16_t reserved;
};

#define DP_FDB_PAGE_MAX 8192	/* entries of a page, about: what main sends in one turn */

/*
 * DP_FDB_DUMP: from where on, 0: the beginning, else `next` of the last batch. An entry that is
 * there all the time is in one page of the walk, whatever else changes between pages (but for one
 * in thousands that is moved meanwhile); when the table grows the walk is of no use any more:
 * -ESTALE, begin anew. A page may be empty.
 */
struct dp_fdb_page {
	struct dp_header header;
	uint64_t from;
};

struct dp_fdb_entry {
	uint64_t port_id;
	uint32_t segment_id;
	uint32_t age_s;		/* since it last sent, or was bound */
	uint8_t mac[6];
	uint16_t is_static;	/* bound to the port by configuration */
};

struct dp_fdb {
	struct dp_header header;
	uint64_t next;		/* in a page's last batch: where the next page begins; 0: none */
	uint32_t n_entries;
	uint32_t reserved;
	struct dp_fdb_entry entries[];
};

struct dp_neigh_entry {
	uint64_t port_id;
	uint32_t segment_id;
	uint32_t age_s;		/* since it was last spoken of */
	uint8_t ip[16];		/* IPv4: the first 4 */
	uint8_t mac[6];
	uint8_t version;	/* 4, 6 */
	uint8_t reserved;
};

struct dp_neigh {
	struct dp_header header;
	uint32_t n_entries;
	uint32_t reserved;
	struct dp_neigh_entry entries[];
};

#define DP_CAPTURES_MAX 8	/* at the same time */
#define DP_CAPTURE_PORTS_MAX 64
#define DP_INSNS_MAX 512

/* One instruction of a classic BPF program, as the kernel and libpcap have them. */
struct dp_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/*
 * DP_CAPTURE_OPEN: copies of frames, for as long as the client is connected and does not close the
 * capture. All of what is said has to fit: a frame at one of the ports (none: any), in the segment,
 * of the channel, that the filter takes. Not configuration, and outside of transactions.
 */
struct dp_capture_open {
	struct dp_header header;
	uint64_t ring_bytes;	/* for each worker; a power of two */
	uint32_t ways;		/* bits: 1 << enum record_way */
	uint32_t snaplen;	/* bytes of a frame that are kept; 0: all */
	uint32_t segment_id;	/* 0: any */
	uint32_t channel_id;	/* 0: any; not of drops */
	uint32_t n_ports;
	uint32_t n_insns;	/* 0: no filter */
	uint64_t port_ids[DP_CAPTURE_PORTS_MAX];
	struct dp_insn insns[DP_INSNS_MAX];
};

/* A frame that was dropped, or that a flight recorder kept: its first bytes. */
struct dp_dropped_frame {
	uint64_t time_ns;	/* of the burst, by the dataplane's clock (CLOCK_MONOTONIC) */
	uint64_t port_id;	/* where it is counted; of a flight recorder: where it came from */
	uint32_t segment_id;	/* 0: it was not known yet */
	uint32_t len;		/* of the whole frame */
	uint16_t head_len;	/* of `head` */
	uint8_t reason;		/* enum drop_reason; of a flight recorder: DROP_NONE */
	uint8_t reserved[5];
	uint8_t head[128];
};

struct dp_dropped {
	struct dp_header header;
	uint64_t skipped;	/* that were too many at once to be kept, since the start */
	uint32_t n_entries;
	uint32_t reserved;
	struct dp_dropped_frame entries[];
};

#define DP_TRACE_BYTES 9600	/* of a frame: the largest MTU, with room for outer headers */
#define DP_TRACE_STEPS_MAX 160	/* of one answer */

/* DP_TRACE: what would become of this frame, if the port sent it now? Nothing is sent, learned,
 * counted or taken from a rate. */
struct dp_trace {
	struct dp_header header;
	uint64_t port_id;
	uint32_t n_bytes;	/* 1 .. DP_TRACE_BYTES */
	uint32_t reserved;
	uint8_t bytes[DP_TRACE_BYTES];
};

/* In the order of the path. */
enum dp_trace_stage {
	DP_TRACE_PORT = 1,	/* the port that it comes from, and its link */
	DP_TRACE_TX_CHANNEL,	/* what the machine sends: its channel */
	DP_TRACE_DECAP,		/* on an underlay: outer headers */
	DP_TRACE_CLASSIFY,
	DP_TRACE_GUARD,
	DP_TRACE_LEARN,
	DP_TRACE_ANSWER,
	DP_TRACE_LOOKUP,
	DP_TRACE_STORM,
	DP_TRACE_SPREAD,	/* floods: who gets it; value: how many */
	DP_TRACE_GATE,		/* of a receiver, as what follows; value: its bytes there */
	DP_TRACE_TUNNEL,	/* to a peer; value: bytes of the outer packet */
	DP_TRACE_RX_CHANNEL,	/* value, limit: its rate now and its ceiling, bits per second */
	DP_TRACE_LINK,		/* can the receiver take it? */
	DP_TRACE_REST,		/* receivers that there was no room for; value: how many */
	DP_TRACE_STAGES,
};

enum dp_trace_verdict {
	DP_TRACE_PASS = 0,
	DP_TRACE_NOTE,		/* passes, and there is something to say */
	DP_TRACE_WAIT,		/* passes later */
	DP_TRACE_DROP,		/* reason says why */
	DP_TRACE_VERDICTS,
};

struct dp_trace_step {
	struct dp_header header;
	uint64_t port_id;	/* where it is decided: the sender, a receiver, its uplink */
	uint32_t segment_id;	/* 0: not known yet */
	uint16_t stage;		/* enum dp_trace_stage */
	uint8_t verdict;	/* enum dp_trace_verdict */
	uint8_t reason;		/* enum drop_reason */
	uint64_t value, limit;	/* as the stage says */
	char text[DP_TEXT_BYTES];	/* for the user, one line */
};

/*
 * DP_FOLLOW_OPEN: the next real frames from one of the ports (none: any) that the filter takes are
 * followed through the path, for as long as the client is connected and does not close it. One at
 * a time.
 */
struct dp_follow_open {
	struct dp_header header;
	uint32_t n_frames;	/* 1 .. 1000 */
	uint32_t n_ports;
	uint32_t n_insns;	/* 0: no filter */
	uint32_t reserved;
	uint64_t port_ids[DP_CAPTURE_PORTS_MAX];
	struct dp_insn insns[DP_INSNS_MAX];
};

/* A frame that was followed; its steps come behind it. */
struct dp_followed {
	struct dp_header header;
	uint64_t time_ns;	/* of its burst, by the dataplane's clock (CLOCK_MONOTONIC) */
	uint64_t port_id;	/* that it came from */
	uint32_t len;		/* of the whole frame */
	uint16_t head_len;	/* of `head` */
	uint16_t n_steps;
	uint8_t head[128];
};

struct dp_follow_state {
	struct dp_header header;
	uint64_t missed;	/* that matched and could not be followed: too many at once */
};

#define DP_REPLAYS_MAX 16	/* at the same time, of all clients */
#define DP_REPLAY_BUCKETS 320

/*
 * DP_REPLAY_OPEN: frames that a port takes as if its machine had sent them, for as long as the
 * client is connected and does not close the replay. They lie in a ring (record.h), whose writer
 * the client is; `time_ns` of a record is when it is due, from the start on. Not configuration, and
 * outside of transactions.
 */
struct dp_replay_open {
	struct dp_header header;
	uint64_t port_id;
	uint64_t ring_bytes;	/* a power of two */
	uint64_t fates_bytes;	/* the same, of each worker; 0: nobody asks what became of them */
};

/* DP_REPLAY_START: nothing is taken before. */
struct dp_replay_start {
	struct dp_header header;
	uint64_t id;
	uint64_t start_ns;	/* CLOCK_MONOTONIC; never 0 */
};

enum dp_replay_fault {
	DP_REPLAY_GOES_ON = 0,
	DP_REPLAY_DAMAGED,	/* the ring holds what no writer puts there */
	DP_REPLAY_PORT_GONE,	/* deleted, or made anew */
};

/* What became of the frames so far. Times count from the start. The error of a gap is by how much
 * the time between two frames differed from the time between their due times. */
struct dp_replay_state {
	struct dp_header header;
	uint64_t id;
	uint64_t frames, bytes;	/* that were taken */
	uint64_t fated;		/* of them, whose fate was kept: one at least */
	uint64_t first_ns, last_ns;	/* when the first was taken, and the last */
	uint64_t first_due_ns, last_due_ns;
	uint64_t late_max_ns;
	uint64_t gap_error_max_ns;
	uint32_t fault;		/* enum dp_replay_fault */
	uint32_t reserved;
	uint64_t gap_errors[DP_REPLAY_BUCKETS];	/* gaps by their error: replay_gap.h */
};

_Static_assert(sizeof(struct dp_header) == 16, "layout");
_Static_assert(sizeof(struct dp_replay_state) == 104 + DP_REPLAY_BUCKETS * 8, "layout");
_Static_assert(sizeof(struct dp_dropped_frame) == 160, "layout");
_Static_assert(sizeof(struct dp_capture_open) <= DP_MESSAGE_BYTES, "a capture fits one message");
_Static_assert(sizeof(struct dp_segment) == 16 + 24 + 16 + 64 + 8 + DP_OPTIONS_MAX * 128, "layout");
_Static_assert(sizeof(struct dp_neigh_entry) == 40, "layout");
_Static_assert(sizeof(struct dp_pool) == 112, "layout");
_Static_assert(sizeof(struct dp_channel) == 16 + 24 + DP_WAYS * 40 + 64, "layout");
_Static_assert(sizeof(struct dp_loan) == 56, "layout");
_Static_assert(sizeof(struct dp_option) == 128, "layout");
_Static_assert(sizeof(struct dp_trace) == 32 + DP_TRACE_BYTES, "layout");
_Static_assert(sizeof(struct dp_trace_step) == 48 + DP_TEXT_BYTES, "layout");
_Static_assert(sizeof(struct dp_followed) == 40 + 128, "layout");
_Static_assert(sizeof(struct dp_fdb_entry) == 24, "layout");
_Static_assert(sizeof(struct dp_port) <= DP_MESSAGE_BYTES, "a port fits one message");
