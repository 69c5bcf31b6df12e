# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Interfaces that behave like cards. Needs lib/common.sh.

# A card leaves no checksum to the receiver; a veth does, unless it is told:
# complete_checksums NAMESPACE DEVICE
complete_checksums()
{
	ns "$1" python3 - "$2" <<-'PYTHON'
		import ctypes, fcntl, socket, struct, sys
		SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
		value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0))
		request = struct.pack("16sP16x", sys.argv[1].encode(), ctypes.addressof(value))
		fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), SIOCETHTOOL, request)
	PYTHON
}
