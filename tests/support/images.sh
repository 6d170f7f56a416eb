#!/bin/sh
# Makes real update packages with the formats' own tools: images.sh DIR VENV
set -eu
cd "$1"
bin=$2/bin
pair() { openssl pkey -in "$1.pem" -pubout -out "$1.pub"; }
openssl genpkey -quiet -algorithm rsa -pkeyopt rsa_keygen_bits:3072 -out rsa.pem 2>/dev/null || openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:3072 -out rsa.pem 2>/dev/null
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:3072 -out rsa-other.pem 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out ec.pem
openssl ecparam -name prime256v1 -genkey -noout -out ec-other.pem
openssl genpkey -algorithm ed25519 -out ed.pem
openssl genpkey -algorithm ed25519 -out ed-other.pem
for k in rsa rsa-other ec ec-other ed ed-other; do pair $k; done
openssl req -x509 -newkey rsa:3072 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 3650 2>/dev/null
openssl req -newkey rsa:3072 -nodes -keyout signer.key -out signer.csr -subj /CN=signer 2>/dev/null
openssl x509 -req -in signer.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out signer.crt -days 3650 2>/dev/null
head -c 300000 /dev/urandom >rootfs.img
head -c 20000 /dev/urandom >app.bin

cat >sw-description <<END
software =
{
	version = "1.2.3";
	hardware-compatibility: [ "cam-x9" ];
	images: ( { filename = "rootfs.img"; sha256 = "$(sha256sum rootfs.img | cut -d' ' -f1)"; } );
}
END
pack() { printf '%s\n' sw-description sw-description.sig "$2" | cpio -o -H crc --quiet >"$1"; }
openssl dgst -sha256 -sign rsa.pem sw-description >sw-description.sig
pack raw.swu rootfs.img
openssl cms -sign -in sw-description -out sw-description.sig -signer signer.crt -inkey signer.key -outform DER -nosmimecap -binary
pack cms.swu rootfs.img
mkdir key-inside
openssl genpkey -algorithm ed25519 -out key-inside/server.key
tar -C key-inside -czf rootfs.img.tmp server.key
cp rootfs.img rootfs.keep && mv rootfs.img.tmp rootfs.img
sed -i "s/sha256 = \"[0-9a-f]*\"/sha256 = \"$(sha256sum rootfs.img | cut -d' ' -f1)\"/" sw-description
openssl dgst -sha256 -sign rsa.pem sw-description >sw-description.sig
pack key-inside.swu rootfs.img
mv rootfs.keep rootfs.img

mkdir bundle
cp rootfs.img bundle/
for format in verity plain; do
	printf '[update]\ncompatible=cam-x9\nversion=1.2.3\n\n[bundle]\nformat=%s\n\n[image.rootfs]\nfilename=rootfs.img\n' $format >bundle/manifest.raucm
	rauc bundle --cert signer.crt --key signer.key bundle $format.raucb >/dev/null 2>&1
done
mender-artifact write rootfs-image -t cam-x9 -n release-1.2.3 -f rootfs.img -k ec.pem -o ec.mender >/dev/null 2>&1
for k in rsa ec ed; do
	"$bin/imgtool" sign -k $k.pem --align 4 -v 1.2.3+4 -H 0x200 --pad-header -S 0x20000 -s 7 -d "(1,1.0.0+0)" app.bin mcuboot-$k.bin >/dev/null 2>&1
done
"$bin/imgtool" sign --align 4 -v 1.2.3+4 -H 0x200 --pad-header -S 0x20000 app.bin mcuboot-unsigned.bin >/dev/null 2>&1
cat >esp.py <<'END'
import os, struct
from esptool.bin_image import ELFSection, ESP32C3FirmwareImage
image = ESP32C3FirmwareImage()
image.secure_pad = "2"
text = lambda t, n: t.encode().ljust(n, b"\0")
about = struct.pack("<IIII", 0xABCD5432, 3, 0, 0) + text("1.2.3", 32) + text("cam", 32) + text("12:00:00", 16)
about += text("Jan 1 2026", 16) + text("v5.3", 32) + bytes(32) + bytes(80)
image.segments.append(ELFSection(b".flash.appdesc", 0x3C000020, about + os.urandom(1000), 0))
image.segments.append(ELFSection(b".iram", 0x40380000, os.urandom(2000), 0))
image.save("esp-unsigned.bin")
END
"$bin/python" esp.py >/dev/null
"$bin/espsecure" sign-data --version 2 -k rsa.pem -o esp-rsa.bin esp-unsigned.bin >/dev/null
"$bin/espsecure" sign-data --version 2 -k ec.pem -o esp-ec.bin esp-unsigned.bin >/dev/null
"$bin/espsecure" sign-data --version 1 -k ec.pem -o esp-v1.bin esp-unsigned.bin >/dev/null
cat >suit.py <<'END'
import hashlib, cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key
data, d = open("app.bin", "rb").read(), cbor2.dumps
digest = d([-16, hashlib.sha256(data).digest()])
vendor, kind = bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe"), bytes.fromhex("1492af1425695e48bf429b2d51f2ab45")
shared = d([20, {1: vendor, 2: kind, 3: digest, 14: len(data)}, 1, 15, 2, 15])
manifest = d({1: 1, 2: 7, 3: d({2: [[b"\0"]], 4: shared}), 7: d([3, 15]), 20: d([20, {21: "#app"}, 21, 15, 3, 15])})
stated, header = d([-16, hashlib.sha256(d(manifest)).digest()]), d({1: -7, 4: b"key-1"})
key = load_pem_private_key(open("ec.pem", "rb").read(), None)
r, s = utils.decode_dss_signature(key.sign(d(["Signature1", header, b"", stated]), ec.ECDSA(hashes.SHA256())))
cose = d(cbor2.CBORTag(18, [header, {}, None, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))
open("ec.suit", "wb").write(d(cbor2.CBORTag(107, {2: d([stated, cose]), 3: manifest, "#app": data})))
END
"$bin/python" suit.py
minisign -G -W -p mini.pub -s mini.key >/dev/null
minisign -S -W -s mini.key -m app.bin -x app.minisig </dev/null >/dev/null 2>&1
signify-openbsd -G -n -p signify.pub -s signify.sec
signify-openbsd -S -s signify.sec -m app.bin -x app.sig
openssl pkeyutl -sign -inkey ed.pem -rawin -in app.bin -out app.ed
openssl dgst -sha256 -sign ec.pem -out app.ec app.bin
openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-2 -sign rsa.pem -out app.pss app.bin
