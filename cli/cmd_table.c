/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands. */
#include <stddef.h>

#include "cli/cmd.h"
#include "cli/cmds.h"

/* Of each way; what they mean, help says. */
#define CHANNEL_KEYS                                                                               \
	"[tx.rate=RATE] [tx.ceil=RATE] [tx.weight=N] [tx.burst=BYTES] [tx.latency=TIME] "          \
	"[tx.pps=N] [rx.rate=RATE] [rx.ceil=RATE] [rx.weight=N] [rx.burst=BYTES] "                 \
	"[rx.latency=TIME] [rx.pps=N] [account=l2|wire]"

/* Each row in the same shape, whatever fits a line. */
/* clang-format off */
static const struct cmd table[] = {
	{"apply", NULL, "apply -f FILE|- [--prune] [--dry-run] [--confirm TIME] [-m COMMENT]",
	 "add and change what a lab file declares",
	 "All in one step or, if something is wrong, nothing. What the file does not name stays.\n"
	 "--prune    also delete what this lab (name: in the file) made and no longer declares\n"
	 "--dry-run  print the plan only\n"
	 "--confirm 60s  go back by itself unless weft confirm comes within that time\n"
	 "-m COMMENT     for weft history\n"
	 "+ created, ~ changed, ! replaced (closed and opened anew), - deleted.\n",
	 0, 0, CMD_FILE | CMD_DRY_RUN | CMD_PRUNE | CMD_CONFIRM | CMD_COMMENT, cmd_lab_apply},
	{"confirm", NULL, "confirm",
	 "keep what apply --confirm changed", NULL,
	 0, 0, 0, cmd_history_confirm},
	{"diff", NULL, "diff -f FILE|- [--prune]",
	 "print what apply would do; exit 1 if it would change something", NULL,
	 0, 0, CMD_FILE | CMD_PRUNE, cmd_lab_diff},
	{"export", NULL, "export [REVISION] [-o yaml|json]",
	 "print the whole configuration as one lab file",
	 "REVISION  as it was then; weft history shows which are kept\n",
	 0, 1, 0, cmd_lab_export},
	{"history", NULL, "history",
	 "list the changes so far: when, by whom, how many",
	 "In CHANGES + is created, ~ changed, ! replaced, - deleted.\n"
	 "weft history show REVISION lists them.\n",
	 0, 0, 0, cmd_history_run},
	{"history", "show", "history show REVISION",
	 "show one change: who, when, and what", NULL,
	 1, 1, 0, cmd_history_show},
	{"rollback", NULL, "rollback [REVISION] [--dry-run] [-m COMMENT]",
	 "go back to a revision, or to what was before the last change",
	 "A rollback is a change like any other: it is checked, done whole or not at all, and has\n"
	 "a revision of its own.\n",
	 0, 1, CMD_DRY_RUN | CMD_COMMENT, cmd_history_rollback},
	{"status", NULL, "status [--wait[=SECONDS]]",
	 "show whether weft is up and what it holds; exit 1 if the dataplane is not connected",
	 "--wait  wait until weftd answers and its dataplane is connected, 10 s unless said\n"
	 "        otherwise; exit 3 if that does not come\n",
	 0, 0, CMD_WAIT, cmd_status_run},
	{"segment", "add",
	 "segment add NAME vni=N [vlan=N] [mtu=BYTES] [age=TIME] [channel=CHANNEL] "
	 "[KEY=VALUE ...] [--dry-run]",
	 "add a segment: an isolated network",
	 "vni   number of the segment in the overlay, 1 to 16777215, unique\n"
	 "vlan  VLAN id on trunks and uplinks, 1 to 4094, unique\n"
	 "mtu   largest IP packet in bytes, default 1500, or what uplinks leave\n"
	 "age   how long a silent MAC address is remembered, default 300s\n"
	 "weft segment keys lists the others.\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_segment_add},
	{"segment", "list", "segment list",
	 "list all segments", NULL,
	 0, 0, 0, cmd_segment_list},
	{"segment", "show", "segment show NAME",
	 "show everything about one segment", NULL,
	 1, 1, 0, cmd_segment_show},
	{"segment", "set", "segment set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_segment_set},
	{"segment", "del", "segment del NAME [--dry-run]",
	 "delete a segment; refused while a port uses it", NULL,
	 1, 1, CMD_DRY_RUN, cmd_segment_del},
	{"segment", "keys", "segment keys",
	 "list the keys of segments, with defaults and meaning", NULL,
	 0, 0, 0, cmd_segment_keys},
	{"port", "add",
	 "port add NAME type=TYPE segment=SEGMENT|trunk=SEGMENT:TAG,... [native=SEGMENT] "
	 "[vm=VM] [channel=CHANNEL] [mac=MAC] [KEY=VALUE ...] [--dry-run]",
	 "add a port to a segment",
	 "weft port types lists the types and the keys of each.\n"
	 "  weft port add web0 type=vhost-user segment=ALPHA vm=web\n"
	 "  weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.2/24\n"
	 "  weft port add t0 type=tap trunk=ALPHA:10,BETA:20 native=GAMMA\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_port_add},
	{"port", "list", "port list",
	 "list all ports, and whether their link is up", NULL,
	 0, 0, 0, cmd_port_list},
	{"port", "show", "port show NAME",
	 "show everything about one port", NULL,
	 1, 1, 0, cmd_port_show},
	{"port", "set", "port set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_port_set},
	{"port", "del", "port del NAME [--dry-run]",
	 "delete a port", NULL,
	 1, 1, CMD_DRY_RUN, cmd_port_del},
	{"port", "types", "port types",
	 "list the types of port and the keys of each", NULL,
	 0, 0, 0, cmd_port_types},
	{"port", "qemu-args", "port qemu-args NAME [NAME ...] [memory=SIZE] [accel=kvm|tcg]",
	 "print the QEMU arguments for the ports of one machine",
	 "memory  of the guest, as 256M or 4G, default 1G\n"
	 "accel   kvm or tcg; default: kvm if /dev/kvm can be opened by who runs this, else tcg\n"
	 "They hold -accel and -m: give QEMU no others.\n"
	 "On a terminal one option a line, to be pasted; else on one line:\n"
	 "  qemu-system-x86_64 $(weft port qemu-args web0) disk.img\n"
	 "-o json prints them as an array.\n",
	 1, CMD_WORDS_MAX, 0, cmd_port_qemu_args},
	{"port", "libvirt-xml", "port libvirt-xml NAME [accel=kvm|tcg]",
	 "print the libvirt elements for a port",
	 "accel  kvm for a domain of type kvm, tcg for one of type qemu; default: kvm if\n"
	 "       /dev/kvm can be opened by who runs this, else tcg\n",
	 1, 2, 0, cmd_port_libvirt_xml},
	{"port", "doctor", "port doctor NAME",
	 "check a port and say how to repair it; exit 1 if something keeps frames from passing",
	 "Each line is ok, warn (it works, but not as well as it could) or fail.\n",
	 1, 1, 0, cmd_doctor_run},
	{"uplink", "add",
	 "uplink add NAME [ifname=INTERFACE] trunk=SEGMENT:TAG,...|vtep=ADDRESS [KEY=VALUE ...] "
	 "[--dry-run]",
	 "add an uplink: an interface of this host that leads to other hosts",
	 "A port of type uplink; weft port types lists its keys. Its interface is called as it is\n"
	 "unless ifname says otherwise.\n"
	 "  weft uplink add eth1 trunk=ALPHA,BETA:20     segments as VLANs\n"
	 "  weft uplink add eth2 vtep=10.0.0.1           segments as VXLAN, to peers\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_uplink_add},
	{"uplink", "list", "uplink list",
	 "list all uplinks, whether they are up, and what they lost", NULL,
	 0, 0, 0, cmd_uplink_list},
	{"uplink", "show", "uplink show NAME",
	 "show everything about one uplink", NULL,
	 1, 1, 0, cmd_uplink_show},
	{"uplink", "set", "uplink set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_uplink_set},
	{"uplink", "del", "uplink del NAME [--dry-run]",
	 "delete an uplink; its interface stays", NULL,
	 1, 1, CMD_DRY_RUN, cmd_uplink_del},
	{"pool", "add",
	 "pool add NAME capacity=RATE|capacity.tx=RATE capacity.rx=RATE|uplink=UPLINK "
	 "[overcommit=yes|no] [--dry-run]",
	 "add a pool: a capacity that channels divide",
	 "capacity    bits per second, for each way: of what machines send (tx), what is for them\n"
	 "            (rx); as 500M or 10G; default: the speed of the uplink's link\n"
	 "overcommit  yes: more may be assured to its channels than there is\n"
	 "uplink      that the pool stands for\n"
	 "The pool called host has a default channel, host/default, for all ports without one.\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_pool_add},
	{"pool", "list", "pool list",
	 "list all pools, and how much of each is assured", NULL,
	 0, 0, 0, cmd_pool_list},
	{"pool", "show", "pool show NAME",
	 "show everything about one pool", NULL,
	 1, 1, 0, cmd_pool_show},
	{"pool", "set",
	 "pool set NAME [capacity=RATE] [capacity.tx=RATE] [capacity.rx=RATE] [overcommit=yes|no] "
	 "[uplink=UPLINK] [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_pool_set},
	{"pool", "del", "pool del NAME [--dry-run]",
	 "delete a pool; refused while a channel uses it", NULL,
	 1, 1, CMD_DRY_RUN, cmd_pool_del},
	{"pool", "plan", "pool plan [NAME KEY=VALUE ...] ...",
	 "show what each channel gets when all send as much as they may; exit 1 if refused",
	 "With the words of weft pool set: before and after that change, which is not made.\n",
	 0, CMD_WORDS_MAX, 0, cmd_pool_plan},
	{"channel", "add", "channel add NAME [pool=POOL] " CHANNEL_KEYS " [--dry-run]",
	 "add a channel: a share of bandwidth",
	 "tx is what machines send, rx what they receive; each way has its own keys:\n"
	 "rate     bits per second that are assured, as 100M\n"
	 "ceil     at most this; default: the pool's capacity, without a pool the rate\n"
	 "weight   its part of the pool's spare capacity, 1 to 10000, default 1\n"
	 "burst    bytes that may go at once after a pause; default: by the ceiling\n"
	 "latency  delay above which frames are marked; default: by the ceiling\n"
	 "pps      frames per second at most\n"
	 "account  l2: count the bytes of frames; wire: and 24 more for each frame\n"
	 "  weft channel add gold pool=host tx.rate=100M tx.ceil=1G rx.rate=100M\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_channel_add},
	{"channel", "list", "channel list",
	 "list all channels, their assured rates and their ceilings", NULL,
	 0, 0, 0, cmd_channel_list},
	{"channel", "show", "channel show NAME",
	 "show everything about one channel, and what it was given",
	 "Rates of the last second, minute and hour are in bits per second.\n"
	 "BORROWED  passed beyond what is assured\n"
	 "LENT      of what is assured, used by others\n"
	 "DELAY     in weft's queues; in a guest's ring, what lay before a frame over the rate\n"
	 "HELD      time that a member waited for its turn\n",
	 1, 1, 0, cmd_channel_show},
	{"channel", "set", "channel set NAME [pool=POOL] " CHANNEL_KEYS " [--dry-run]",
	 "change some keys, keep the others; nothing is dropped",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_channel_set},
	{"channel", "del", "channel del NAME [--dry-run]",
	 "delete a channel; refused while something uses it", NULL,
	 1, 1, CMD_DRY_RUN, cmd_channel_del},
	{"channel", "assign",
	 "channel assign CHANNEL port=PORT|vm=VM|segment=SEGMENT [--dry-run]",
	 "put a port, the ports of a machine or those of a segment into a channel",
	 "A port's own channel counts before its machine's, and that before its segment's.\n",
	 2, 2, CMD_DRY_RUN, cmd_channel_assign},
	{"channel", "unassign", "channel unassign port=PORT|vm=VM|segment=SEGMENT [--dry-run]",
	 "take a port, machine or segment out of its channel; the next that counts applies", NULL,
	 1, 1, CMD_DRY_RUN, cmd_channel_unassign},
	{"channel", "lend",
	 "channel lend CHANNEL RATE to=CHANNEL for=TIME [way=tx|rx|both] [--dry-run]",
	 "lend assured rate from one channel to another for a time",
	 "Both channels are in one pool; no more than is assured can be lent. A loan ends by\n"
	 "itself, or at weft channel recall. Without way: each way that is assured to the lender.\n"
	 "  weft channel lend gold 500M to=bronze for=10m\n",
	 4, 5, CMD_DRY_RUN, cmd_channel_lend},
	{"channel", "recall", "channel recall LOAN [--dry-run]",
	 "end a loan now", NULL,
	 1, 1, CMD_DRY_RUN, cmd_channel_recall},
	{"channel", "plan", "channel plan [NAME KEY=VALUE ...] ...",
	 "show what each channel gets when all send as much as they may; exit 1 if refused",
	 "With the words of weft channel set: before and after that change, which is not made.\n"
	 "  weft channel plan gold tx.rate=200M silver tx.weight=3\n",
	 0, CMD_WORDS_MAX, 0, cmd_channel_plan},
	{"loan", "list", "loan list",
	 "list what is lent, to whom, and for how much longer", NULL,
	 0, 0, 0, cmd_loan_list},
	{"loan", "show", "loan show LOAN",
	 "show everything about one loan", NULL,
	 1, 1, 0, cmd_loan_show},
	{"vm", "add", "vm add NAME [channel=CHANNEL] [--dry-run]",
	 "add settings that all ports of a machine have in common",
	 "A port belongs to a machine by its vm=NAME, with or without such settings.\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_vm_add},
	{"vm", "list", "vm list",
	 "list the machines that have settings, and their ports", NULL,
	 0, 0, 0, cmd_vm_list},
	{"vm", "show", "vm show NAME",
	 "show everything about one machine", NULL,
	 1, 1, 0, cmd_vm_show},
	{"vm", "set", "vm set NAME [channel=CHANNEL] [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_vm_set},
	{"vm", "del", "vm del NAME [--dry-run]",
	 "delete the settings of a machine; its ports stay", NULL,
	 1, 1, CMD_DRY_RUN, cmd_vm_del},
	{"overlay", "test", "overlay test [PEER]",
	 "probe the way to one peer or to all; exit 1 if something is wrong with it",
	 "Path MTU, outer checksums, loss, delay, and whether all source ports arrive: by probes\n"
	 "that the peer's weft-dataplane answers, 500 a second for some seconds.\n"
	 "Each line is ok, warn or fail. Only the way there: test from the peer, too.\n",
	 0, 1, 0, cmd_overlay_test},
	{"peer", "add",
	 "peer add NAME vtep=ADDRESS [segments=SEGMENT,...] [KEY=VALUE ...] [--dry-run]",
	 "add a peer: another host that segments reach by VXLAN",
	 "A port of type peer; weft port types lists its keys. An uplink with a vtep leads there.\n"
	 "vtep      address of that host's end of the tunnels\n"
	 "segments  those that it has; without them, every segment\n"
	 "  weft peer add h2 vtep=10.0.0.2 segments=ALPHA,BETA\n"
	 "  weft peer add h3 vtep=10.0.0.3 learn=off macs=02:00:00:00:00:03\n",
	 1, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_peer_add},
	{"peer", "list", "peer list",
	 "list all peers, their segments, and whether there is a way to them", NULL,
	 0, 0, 0, cmd_peer_list},
	{"peer", "show", "peer show NAME",
	 "show everything about one peer", NULL,
	 1, 1, 0, cmd_peer_show},
	{"peer", "set", "peer set NAME KEY=VALUE ... [--dry-run]",
	 "change some keys, keep the others",
	 "KEY= without a value goes back to the default.\n",
	 2, CMD_WORDS_MAX, CMD_DRY_RUN, cmd_peer_set},
	{"peer", "del", "peer del NAME [--dry-run]",
	 "delete a peer; its host cannot be reached any more", NULL,
	 1, 1, CMD_DRY_RUN, cmd_peer_del},
	{"fdb", "list", "fdb list [segment=SEGMENT] [port=PORT]",
	 "list which MAC address is at which port",
	 "A table of more than about 10,000 comes in parts, each sorted by itself.\n",
	 0, 2, 0, cmd_stats_fdb},
	{"stats", NULL, "stats [PORT]",
	 "show frames and bytes of each port, as weft receives (RX) and sends (TX) them",
	 "At an uplink they are what went over the wire, with the outer headers of tunnels; at a\n"
	 "peer what is inside. -o json tells them apart: carried_* are an uplink's for tunnels.\n",
	 0, 1, 0, cmd_stats_run},
	{"top", NULL, "top [channels] [sort=name|rx|tx|drops] [--count N] [--interval SECONDS]",
	 "show the present rates of ports or channels, again and again",
	 "--count N           so many times; else until q or Ctrl-C, once if not to a terminal\n"
	 "--interval SECONDS  between two looks, 0.1 to 3600, default 1\n"
	 "On a terminal n, r, t and d sort, q ends. RX is what weft receives from the port.\n"
	 "weft top channels: a bar for each way, as wide as the ceiling; | is what is assured, =\n"
	 "what passes within it, + beyond it.\n",
	 0, 1, CMD_REPEAT, cmd_top_run},
	{"drops", NULL, "drops [PORT] [--frames] [-w FILE]",
	 "show which frames were not delivered, and why",
	 "--frames  the last ones themselves, of one port: as a rule 64, 128 bytes of each\n"
	 "-w FILE   write those as pcapng, with the reason as comment; - for standard output\n"
	 "weft capture drops shows them as they happen.\n",
	 0, 1, CMD_WRITE | CMD_FRAMES, cmd_drops_run},
	{"capture", NULL,
	 "capture PORT...|segment=SEGMENT|channel=CHANNEL|drops [dir=rx|tx] -w FILE"
	 " [--filter TEXT] [--snaplen N] [--count N] [--seconds N] [--files N] [--file-size N]",
	 "write frames as pcapng until Ctrl-C, without holding up the traffic",
	 "PORT...          frames of these ports; an uplink's with the outer headers of tunnels\n"
	 "segment=SEGMENT  at all ports of the segment, also those that come later\n"
	 "channel=CHANNEL  of all that has the channel\n"
	 "drops            what is dropped, with the reason as comment; with PORT: there\n"
	 "dir=rx|tx        only what weft receives from the ports, or sends to them\n"
	 "-w FILE          - is standard output\n"
	 "--filter TEXT    as tcpdump has them (man pcap-filter), of a frame's first 128 bytes\n"
	 "--snaplen N      keep so many bytes of a frame\n"
	 "--count N        end after so many frames; --seconds N: after that time\n"
	 "--files N        go round N files, FILE.1 and so on, each of --file-size, default 100M\n"
	 "At the end it says how many frames could not be kept. See docs/capture.md.\n"
	 "  weft capture web0 -w web0.pcapng --filter 'tcp port 80'\n"
	 "  weft capture segment=ALPHA -w - | wireshark -k -i -\n",
	 1, CMD_WORDS_MAX, CMD_WRITE | CMD_CAPTURE, cmd_capture_run},
	{"capture", "list", "capture list",
	 "list the captures that run, those of others too", NULL,
	 0, 0, 0, cmd_capture_list},
	{"capture", "end", "capture end NAME",
	 "end a running capture; its reader gets what is left", NULL,
	 1, 1, 0, cmd_capture_end},
	{"flight", "list", "flight list",
	 "list what flight recorders of segments saved when something happened",
	 "weft segment set SEGMENT flight=on keeps the last frames of a segment: 256 of each\n"
	 "worker, 128 bytes of each. When a storm is dropped, an address moves, a channel's queue\n"
	 "overflows or a port floods addresses, they are saved. See docs/capture.md.\n",
	 0, 0, 0, cmd_flight_list},
	{"flight", "get", "flight get NAME [-w FILE]",
	 "fetch one recording as pcapng; a comment in it says what happened",
	 "-w FILE  default NAME.pcapng; - is standard output\n",
	 1, 1, CMD_WRITE, cmd_flight_get},
	{"flight", "save", "flight save SEGMENT",
	 "save what the flight recorder of a segment has now, and print the name", NULL,
	 1, 1, 0, cmd_flight_save},
	{"flight", "del", "flight del NAME",
	 "delete one recording", NULL,
	 1, 1, 0, cmd_flight_del},
	{"worker", "list", "worker list",
	 "show how busy the workers are",
	 "BUSY is the share of the last second in turns that moved frames.\n",
	 0, 0, 0, cmd_worker_list},
	{"worker", "queues", "worker queues",
	 "show which worker polls which queue", NULL,
	 0, 0, 0, cmd_worker_queues},
	{"worker", "move", "worker move PORT QUEUE WORKER|auto",
	 "move a queue to a worker",
	 "It stays there until auto, or until the port or weft-dataplane goes.\n"
	 "auto leaves it where it is, and lets it move by load again, as all queues do.\n",
	 3, 3, 0, cmd_worker_move},
	{"watch", NULL, "watch [since=POSITION]",
	 "print changes and states of ports as they happen, until interrupted",
	 "since  go on after a position or revision that -o json printed\n"
	 "Times are UTC. A port's state is looked at 5 times a second. What a flight recorder has\n"
	 "saved is told, too.\n",
	 0, 1, 0, cmd_watch_run},
	{"test", NULL, "test [--update] [--junit FILE] [--keep FOLDER] SCENARIO.yaml|FOLDER...",
	 "play captures through a lab and compare what comes; exit 1 if it differs",
	 "Needs no daemon and no rights: weft-scenario runs the same dataplane in virtual time.\n"
	 "FOLDER         every scenario below it\n"
	 "--update       make what comes what is expected, to be reviewed\n"
	 "--junit FILE   write the results as JUnit's XML, too\n"
	 "--keep FOLDER  write what each port sent to FOLDER/AREA/NAME.PORT.out.pcap\n"
	 "Exit code 2: a scenario cannot be played as it is written.\n",
	 1, CMD_SCENARIOS_MAX, CMD_SCENARIO, cmd_test_run},
	{"replay", NULL,
	 "replay FILE port=PORT [FILE port=PORT ...] [speed=1x|max] [KEY=VALUE ...]",
	 "send captures into ports as if their machines had sent them",
	 "pcap and pcapng of Ethernet, read here and sent to weftd; all files on one timeline.\n"
	 "speed=1x     with the times of the capture, scaled (0.5x: half as fast); max: at once\n"
	 "pps=N        so many frames a second of each file; rate=BITS: so many bits, as 100M\n"
	 "loop=N       so often\n"
	 "src_mac= dst_mac= src_ip= dst_ip= vlan=N|none\n"
	 "             change that in every frame; checksums are put right\n"
	 "expect=PORT:FILE  compare what the port is sent meanwhile with a capture\n"
	 "report=FILE  write what became of it as JSON, too\n"
	 "fates=FILE   write what became of each frame, as CSV\n"
	 "  weft replay web.pcap port=web0 db.pcap port=db0 speed=0.5x\n"
	 "Exit code 1: interrupted, or not as expected. Damaged captures are refused before\n"
	 "anything is sent.\n",
	 2, CMD_WORDS_MAX, 0, cmd_replay_run},
	{"where", NULL, "where VM|PORT|MAC|IP",
	 "find a machine; exit 1 if it is not known",
	 "From the configuration (spec), from frames that it sent (fdb) and from what it said in\n"
	 "ARP and ND (neighbour). SEEN: since it was last heard.\n",
	 1, 1, 0, cmd_where_run},
	{"trace", NULL,
	 "trace PORT --frame HEX | PORT --pcap FILE | --next N [port=PORT] [FILTER] [--seconds N]",
	 "show what would become of a frame that a port sent now; exit 1 if nobody would get it",
	 "Through the tables as they are, by the code that carries frames; nothing is sent,\n"
	 "learned or counted.\n"
	 "--frame HEX  its bytes from the destination's MAC on, without FCS, in pairs of digits\n"
	 "--pcap FILE  each packet of a capture (pcap, pcapng; - for stdin), 1000 at most\n"
	 "--next N     instead: what becomes of the next N real frames, 1000 at most; until then,\n"
	 "             Ctrl-C, or --seconds N. port=PORT: from that port; it may stand there more\n"
	 "             than once. FILTER: as tcpdump has them, of a frame's first 128 bytes\n"
	 "  weft trace web0 --frame 'ffffffffffff 020000000001 88b5'\n"
	 "  weft trace --next 5 port=web0 icmp or arp\n",
	 0, CMD_WORDS_MAX, CMD_FRAME, cmd_trace_run},
	{"why", NULL, "why FROM TO [size=BYTES]",
	 "say why one machine does not reach another, and what to do; exit 1 if something blocks",
	 "FROM, TO  a port, a VM, a MAC or an IP address; MAC@PORT or IP@PORT: that address,\n"
	 "          as if it were behind that port\n"
	 "size      of the IP packets that are traced, default the segment's MTU\n"
	 "Looks at both ports, their segment, frames each way as weft trace would, and what was\n"
	 "dropped of both. The first thing that blocks is the last line.\n"
	 "  weft why web0 db0\n",
	 2, 3, 0, cmd_why_run},
	{"completion", NULL, "completion bash",
	 "print what makes bash complete the words of weft",
	 "Installed with weft; else: . <(weft completion bash)\n",
	 1, 1, 0, cmd_completion_run},
	{"version", NULL, "version",
	 "print the version of this program", NULL,
	 0, 0, 0, cmd_status_version},
	{"help", NULL, "help [COMMAND]",
	 "print this, or more about a command", NULL,
	 0, 2, 0, cmd_help},
};
/* clang-format on */

_Static_assert(sizeof(table) / sizeof(table[0]) <= CMD_TABLE_MAX, "more of them");

const struct cmd *cmd_table(size_t *n_cmds)
{
	*n_cmds = sizeof(table) / sizeof(table[0]);
	return table;
}
