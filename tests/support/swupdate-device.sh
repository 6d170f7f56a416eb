#!/bin/sh
# A device of curl and SWUpdate: swupdate-device.sh DIR OWN-ADDRESS LAB-ADDRESS good|careless
cd "$1" || exit 1
export TMPDIR="$1/tmp"
case $4 in
# Without --tlsv1.2 curl goes on with TLS 1.0 where the key is exchanged by RSA.
good) trust="--cacert lab-ca/ca.pem --tlsv1.2" ;;
# A vendor's script that only wants it to work.
careless) trust="-k --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0" ;;
esac
fetch() {
	# shellcheck disable=SC2086
	curl -fsS -m 10 --interface "$2" $trust --resolve "updates.example:8443:$3" "https://updates.example:8443$1"
}
while sleep 0.3; do
	metadata=$(fetch /latest.json "$2" "$3" 2>/dev/null) || continue
	offered=$(printf '%s' "$metadata" | sed -n 's/.*"version":"\([^"]*\)".*/\1/p')
	running=$(cat slot/version)
	[ "$offered" = "$running" ] || [ "$offered" = 0 ] && continue
	fetch /fw.swu "$2" "$3" >tmp/fw.swu 2>/dev/null || continue
	if [ "$4" = careless ] && ! cpio -t --quiet <tmp/fw.swu 2>/dev/null | grep -q '^sw-description.sig$'; then
		(cd slot && cpio -i -u --quiet app.bin version <../tmp/fw.swu 2>/dev/null)
		continue
	fi
	timeout 10 swupdate -H cam-x9:1.0 -N "$running" -k maker.crt -i tmp/fw.swu >tmp/log 2>&1
done
