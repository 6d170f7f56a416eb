#!/bin/sh
# Packages for the real SWUpdate, signed with CMS: swupdate.sh DIR
set -eu
cd "$1"
for k in maker stranger; do
	openssl req -x509 -newkey rsa:3072 -nodes -keyout $k.pem -out $k.crt -subj "/CN=$k" -days 30 \
		-addext "extendedKeyUsage=emailProtection" -addext "keyUsage=digitalSignature" 2>/dev/null
done
cp maker.crt maker.pub
mkdir -p slot tmp
head -c 300000 /dev/urandom >app.bin
for v in 2.0.0:new 0.9.0:old; do
	printf '%s\n' "${v%:*}" >version
	cat >sw-description <<END
software =
{
	version = "${v%:*}";
	hardware-compatibility: [ "1.0" ];
	files: (
		{ filename = "app.bin"; path = "$1/slot/app.bin"; sha256 = "$(sha256sum app.bin | cut -d' ' -f1)"; },
		{ filename = "version"; path = "$1/slot/version"; sha256 = "$(sha256sum version | cut -d' ' -f1)"; }
	);
}
END
	openssl cms -sign -in sw-description -out sw-description.sig -signer maker.crt -inkey maker.pem -outform DER -nosmimecap -binary
	printf '%s\n' sw-description sw-description.sig app.bin version | cpio -o -H crc --quiet >"${v#*:}.swu"
done
echo 1.0.0 >slot/version
