#!/bin/sh
# A maker's keys and signed SWUpdate packages: updates.sh DIR
set -eu
cd "$1"
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:3072 -out maker.pem 2>/dev/null
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:3072 -out stranger.pem 2>/dev/null
openssl pkey -in maker.pem -pubout -out maker.pub
head -c 300000 /dev/urandom >rootfs.img
for v in 2.0.0:new 0.9.0:old 2.0.1:noboot; do
	# What makers build to test the way back: signed, and its software does not start.
	case $v in *:noboot) start='	self-test = "fails";' ;; *) start= ;; esac
	cat >sw-description <<END
software =
{
	version = "${v%:*}";
	hardware-compatibility: [ "cam-x9" ];
$start
	images: ( { filename = "rootfs.img"; sha256 = "$(sha256sum rootfs.img | cut -d' ' -f1)"; } );
}
END
	openssl dgst -sha256 -sign maker.pem sw-description >sw-description.sig
	printf '%s\n' sw-description sw-description.sig rootfs.img | cpio -o -H crc --quiet >"${v#*:}.swu"
done
