#!/bin/sh
# A device to which updates are handed by TFTP, of SWUpdate beside a TFTP server of DIR/inbox: tftp-device.sh DIR good|careless
cd "$1" || exit 1
export TMPDIR="$1/tmp"
while sleep 0.1; do
	[ -e inbox/go ] || continue
	running=$(cat slot/version)
	# A vendor that forgot the switch against older versions.
	[ "$2" = careless ] && newer= || newer="-N $running"
	# shellcheck disable=SC2086
	timeout 10 swupdate -H cam-x9:1.0 $newer -k maker.crt -i inbox/fw.swu >tmp/log 2>&1
	# That it is gone says that the installer is done.
	rm inbox/go
done
