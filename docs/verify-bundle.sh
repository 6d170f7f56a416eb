#!/bin/sh
# Checks a bundle made by `patuh seal` with stock tools alone: that its files are those that were sealed, and
# that those who sealed it are in your own records. Needs coreutils, findutils, jq, ssh-keygen and openssl.
#
#   verify-bundle.sh BUNDLE ALLOWED_SIGNERS [TSA_ANCHORS.pem [CMS_ANCHORS.pem [REVOKED]]]
#
# ALLOWED_SIGNERS, the anchors and the revoked keys are yours: never take them from the bundle ("" for none). Exit code 0 if everything holds,
# 1 if anything does not. Whether the verdicts follow from the recording, only `patuh verify` can tell.
set -eu
LC_ALL=C
export LC_ALL
fail() {
    echo "NOT OK: $*"
    exit 1
}
[ $# -ge 2 ] || fail "usage: verify-bundle.sh BUNDLE ALLOWED_SIGNERS [TSA_ANCHORS.pem [CMS_ANCHORS.pem [REVOKED]]]"
allowed=$(realpath "$2")
anchors=${3:+$(realpath "$3")}
cms_anchors=${4:+$(realpath "$4")}
revoked=${5:+$(realpath "$5")}
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
namespace=patuh-evidence-bundle

# 1. Plain files and directories with plain names only, and no file that a bundle cannot have.
[ -z "$(find . ! -type f ! -type d)" ] || fail "there is something else than files and directories"
[ -z "$(find . -mindepth 1 -type d -empty)" ] || fail "there is an empty directory"
if find . -mindepth 1 -print0 | tr '\0\n' '\n?' | grep -qvE '^\./[A-Za-z0-9._/-]*$'; then fail "a name has odd characters"; fi
[ -z "$(find . -type f | tr 'A-Z' 'a-z' | sort | uniq -d)" ] || fail "two names differ in case only"
signers=$(jq -er '.predicate.signers | length' seal/statement.json 2>/dev/null) || fail "seal/statement.json is not a statement"
[ "$signers" -ge 1 ] && [ "$signers" -le 9 ] || fail "there is no signer"
{
    printf '%s\n' bag-info.txt bagit.txt manifest-sha256.txt tagmanifest-sha256.txt
    printf '%s\n' seal/statement.json seal/statement.dsse.json seal/statement.json.sshsig seal/signer.pub
    n=2
    while [ "$n" -le "$signers" ]; do
        printf '%s\n' "seal/statement.json.$n.sshsig" "seal/signer.$n.pub"
        n=$((n + 1))
    done
    [ "$(jq -r '.predicate.certificates // [] | length' seal/statement.json)" = 0 ] || echo seal/statement.json.p7s
    [ ! -e seal/statement.json.sshsig.tsr ] || echo seal/statement.json.sshsig.tsr
} | sort >"$work/expected"
find . -path ./data -prune -o -type f -print | cut -c3- | sort | cmp -s - "$work/expected" || fail "a file outside data/ is missing or was added"

# 2. From the statement down: the tag manifest, the manifest, every file.
[ "$(jq -r '._type' seal/statement.json)" = "https://in-toto.io/Statement/v1" ] || fail "seal/statement.json is not a statement"
[ "$(jq -r '.predicateType' seal/statement.json)" = "urn:x-patuh:evidence-seal:v1" ] || fail "seal/statement.json is not a seal"
stated=$(jq -r '.subject[] | select(.name == "tagmanifest-sha256.txt") | .digest.sha256' seal/statement.json)
[ "$stated" = "$(sha256sum <tagmanifest-sha256.txt | cut -c1-64)" ] || fail "tagmanifest-sha256.txt is not the one that was sealed"
sha256sum bag-info.txt bagit.txt manifest-sha256.txt | cmp -s - tagmanifest-sha256.txt || fail "bagit.txt, bag-info.txt or manifest-sha256.txt was changed"
printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bagit.txt || fail "bagit.txt was changed"
find data -type f | sort | xargs sha256sum | cmp -s - manifest-sha256.txt || fail "a file in data/ was changed, removed or added"
recording=data/recording/recording.jsonl
transcripts=data/recording/transcripts.jsonl
plan=data/recording/plan.json

# The digest of each line of a log, and what each line says of the one before it. A last line without its
# newline was cut off by a kill, and is none.
chain() {
    log=$1
    seed=$2
    mkdir "$work/lines"
    if [ -n "$(tail -c 1 "$log")" ]; then sed '$d' "$log"; else cat "$log"; fi >"$work/whole"
    awk -v dir="$work/lines" '{ file = sprintf("%s/%09d", dir, NR); printf "%s", $0 >file; close(file) }' "$work/whole"
    find "$work/lines" -type f | sort | xargs -r sha256sum | cut -c1-64 >"$work/digests"
    rm -r "$work/lines"
    sed -n 's/^.*,"prev":"sha256:\([0-9a-f]\{64\}\)"}$/\1/p; t; s/.*/no link/p' "$work/whole" >"$work/links"
    { echo "$seed" && cat "$work/digests"; } | head -n "$(wc -l <"$work/links")" >"$work/due"
    if ! cmp -s "$work/due" "$work/links"; then
        line=$(cmp "$work/due" "$work/links" 2>&1 | sed 's/.* line //')
        fail "$log, line $line: the line before it is not the one that it names: lines were removed, added, changed or moved"
    fi
}

# The logs of a recording that was planned: from the plan, or the authority's answer about it, to the end.
if [ "$(head -n 1 "$recording" | jq -r .format)" = "recording/2" ]; then
    [ -e "$plan" ] || fail "$plan is missing"
    jq -cS '[.targets, .hosts, .scope, .probes]' "$plan" >"$work/planned"
    head -n 1 "$recording" | jq -cS '[.targets, .hosts, .scope, .plan]' | cmp -s - "$work/planned" || fail "$recording was made by another plan"
    seed=$plan
    [ ! -e "$plan.tsr" ] || seed=$plan.tsr
    chain "$recording" "$(sha256sum <"$seed" | cut -c1-64)"
    first=$(head -n 1 "$work/digests")
    chain "$transcripts" "$first"
    last=$(tail -n 1 "$work/digests")
    end=$(jq -r 'select(.line == "finished") | "end \(.transcripts)"' "$recording" | tail -n 1)
    [ -z "$end" ] || [ "$end" = "end sha256:${last:-$first}" ] || fail "$transcripts: lines at the end were removed or added"
else
    [ ! -e "$plan" ] && [ ! -e "$plan.tsr" ] && [ ! -e "$recording.tsr" ] || fail "there is a plan beside a recording that was made without one"
fi
echo "integrity: ok"

# 3. Every signature, by a key that your records know, for this purpose, at the time of the seal.
sealed=$(jq -r '.predicate.sealed_at' seal/statement.json | tr -dc 0-9 | cut -c1-14)
[ "${#sealed}" = 14 ] || fail "the statement does not say when it was sealed"
jq -cjS . seal/statement.dsse.json 2>/dev/null | cmp -s - seal/statement.dsse.json || fail "seal/statement.dsse.json is not written as it should be"
[ "$(jq -r 'keys | join(" ")' seal/statement.dsse.json)" = "payload payloadType signatures" ] || fail "seal/statement.dsse.json holds something else"
[ "$(jq -r '.signatures | length' seal/statement.dsse.json)" = "$signers" ] || fail "seal/statement.dsse.json has not one signature for each signer"
type=$(jq -r .payloadType seal/statement.dsse.json)
[ "$type" = "application/vnd.in-toto+json" ] || fail "seal/statement.dsse.json holds something else"
[ "$(jq -r .payload seal/statement.dsse.json)" = "$(base64 -w0 seal/statement.json)" ] || fail "seal/statement.dsse.json holds another statement"
{
    printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(stat -c%s seal/statement.json)"
    cat seal/statement.json
} >"$work/pae"
n=1
while [ "$n" -le "$signers" ]; do
    [ "$n" = 1 ] && dot="" || dot=".$n"
    sig=seal/statement.json$dot.sshsig
    pub=seal/signer$dot.pub
    # The one way to write a key and a signature, so that not one bit of them is free.
    awk 'NR == 1 && NF == 2 { print $1 " " $2 }' "$pub" | cmp -s - "$pub" || fail "$pub is not one public key"
    blob=$(cut -d' ' -f2 "$pub")
    [ "$(printf %s "$blob" | base64 -d 2>/dev/null | base64 -w0)" = "$blob" ] || fail "$pub is not one public key"
    {
        echo "-----BEGIN SSH SIGNATURE-----"
        sed '1d;$d' "$sig" | base64 -d 2>/dev/null | base64 -w70
        echo "-----END SSH SIGNATURE-----"
    } | cmp -s - "$sig" || fail "$sig is not a signature as it should be written"
    print=$(ssh-keygen -lf "$pub" 2>/dev/null | cut -d' ' -f2)
    [ "$print" = "$(jq -r ".predicate.signers[$n - 1]" seal/statement.json)" ] || fail "$pub is not the signer that the statement names"
    good=$(ssh-keygen -Y check-novalidate -n "$namespace" -s "$sig" <seal/statement.json 2>/dev/null) || fail "$sig does not fit the statement"
    [ "${good##* }" = "$print" ] || fail "$sig was made with another key than $pub"
    who=$(ssh-keygen -Y find-principals -f "$allowed" -s "$sig" -O verify-time="${sealed}Z" 2>/dev/null | head -n 1) || true
    [ -n "$who" ] || fail "no line of your records knows $print at that time"
    ssh-keygen -Y verify -f "$allowed" -I "${who%%,*}" -n "$namespace" -s "$sig" -O verify-time="${sealed}Z" ${revoked:+-r "$revoked"} <seal/statement.json >/dev/null 2>&1 ||
        fail "your records do not let $who seal"
    # The envelope, with the same key and openssl.
    [ "$(jq -r ".signatures[$n - 1] | keys | join(\" \")" seal/statement.dsse.json)" = "keyid sig" ] || fail "seal/statement.dsse.json holds something else"
    [ "$(jq -r ".signatures[$n - 1].keyid" seal/statement.dsse.json)" = "$print" ] || fail "seal/statement.dsse.json names another key"
    raw=$(jq -r ".signatures[$n - 1].sig" seal/statement.dsse.json)
    [ "$(printf %s "$raw" | base64 -d 2>/dev/null | base64 -w0)" = "$raw" ] || fail "seal/statement.dsse.json is not written as it should be"
    printf %s "$raw" | base64 -d >"$work/sig"
    case $(cut -d' ' -f1 "$pub") in
    ssh-ed25519)
        digest=""
        { printf '\060\052\060\005\006\003\053\145\160\003\041\000' && printf %s "$blob" | base64 -d | tail -c 32; } |
            openssl pkey -pubin -inform DER -out "$work/key" 2>/dev/null || fail "$pub cannot be read"
        ;;
    ssh-rsa) digest="-digest sha512" ;;
    *) digest="-digest sha256" ;;
    esac
    [ -z "$digest" ] || ssh-keygen -e -m PKCS8 -f "$pub" >"$work/key"
    # shellcheck disable=SC2086
    openssl pkeyutl -verify -rawin $digest -pubin -inkey "$work/key" -in "$work/pae" -sigfile "$work/sig" >/dev/null 2>&1 ||
        fail "seal/statement.dsse.json: the signature of $print does not fit"
    echo "authenticity: ok, signed by $who with $print"
    n=$((n + 1))
done

# What assessors signed themselves, each line by itself and for that purpose alone.
statements=data/attestations/attestations.jsonl
if [ -e "$statements" ]; then
    line=0
    signed=0
    while IFS= read -r statement || [ -n "$statement" ]; do
        line=$((line + 1))
        printf %s "$statement" | jq -e .signature >/dev/null 2>&1 || continue
        signed=$((signed + 1))
        printf %s "$statement" | jq -j .signature >"$work/judged.sig"
        printf %s "$statement" | jq -cj 'del(.signature)' >"$work/judged"
        {
            echo "-----BEGIN SSH SIGNATURE-----"
            sed '1d;$d' "$work/judged.sig" | base64 -d 2>/dev/null | base64 -w70
            echo "-----END SSH SIGNATURE-----"
        } | cmp -s - "$work/judged.sig" || fail "$statements:$line: not a signature as it should be written"
        ssh-keygen -Y check-novalidate -n patuh-judgement -s "$work/judged.sig" <"$work/judged" >/dev/null 2>&1 ||
            fail "$statements:$line: the signature does not fit the statement"
        at=$(printf %s "$statement" | jq -r .at | tr -dc 0-9 | cut -c1-14)
        who=$(ssh-keygen -Y find-principals -f "$allowed" -s "$work/judged.sig" -O verify-time="${at}Z" 2>/dev/null | head -n 1) || true
        [ -n "$who" ] || fail "$statements:$line: no line of your records knows the key at that time"
        ssh-keygen -Y verify -f "$allowed" -I "${who%%,*}" -n patuh-judgement -s "$work/judged.sig" -O verify-time="${at}Z" ${revoked:+-r "$revoked"} <"$work/judged" >/dev/null 2>&1 ||
            fail "$statements:$line: your records do not let $who judge"
    done <"$statements"
    echo "judgements: $signed of $line signed"
fi

# The signature with an X.509 key, where the statement names its certificates.
cms=seal/statement.json.p7s
if [ -e "$cms" ]; then
    openssl pkcs7 -inform DER -in "$cms" -print_certs -out "$work/certs" 2>/dev/null || fail "$cms is no CMS signature"
    awk -v dir="$work" '/^-----BEGIN/ { n++ } n { print >(dir "/cert." n) }' "$work/certs"
    for cert in "$work"/cert.*; do openssl x509 -in "$cert" -outform DER | sha256sum | cut -c1-64; done | sort >"$work/there"
    jq -r '.predicate.certificates[]' seal/statement.json | sort | cmp -s - "$work/there" || fail "$cms does not hold the certificates that the statement names"
    verify() {
        openssl cms -verify -binary -inform DER -in "$cms" -content seal/statement.json -out "$work/out" "$@" >/dev/null 2>&1
    }
    verify -noverify || fail "$cms does not fit the statement"
    if [ -n "$cms_anchors" ]; then
        verify -cades -CAfile "$cms_anchors" -purpose any -attime "$(date -u -d "$(jq -r .predicate.sealed_at seal/statement.json)" +%s)" ||
            fail "$cms is not by a certificate of your authorities"
        echo "certificate: ok"
    else
        echo "certificate: not compared with your records"
    fi
elif [ -n "$cms_anchors" ]; then
    fail "no certificate signed it"
fi

# 4. Time, where an authority told it: before the scan, after it, and after the seal.
told() {
    openssl ts -reply -in "$1" -text 2>/dev/null | sed -n 's/^Time stamp: //p'
}
seconds() {
    date -u -d "$1" +%s
}
# What a token is about, the token, and the time that the laboratory's clock says.
stamped() {
    at=$(told "$2")
    openssl ts -verify -data "$1" -in "$2" -CAfile "$anchors" >/dev/null 2>&1 ||
        openssl ts -verify -data "$1" -in "$2" -CAfile "$anchors" -attime "$(seconds "$at")" >/dev/null 2>&1 ||
        fail "$2 does not hold or is not by your authority"
    off=$(($(seconds "$3") - $(seconds "$at")))
    [ "$2" != "$plan.tsr" ] || off=$((-off))
    [ "$off" -le 300 ] || fail "$2: stamped at $at, but by the lab's clock it was $3: that clock was wrong"
    [ "$(seconds "$at")" -ge "${earlier:-0}" ] || fail "$2 was stamped before what must come first"
    earlier=$(seconds "$at")
}
token=seal/statement.json.sshsig.tsr
sealed=$(jq -r '.predicate.sealed_at' seal/statement.json)
if [ -z "$anchors" ] || { [ ! -e "$token" ] && [ ! -e "$plan.tsr" ] && [ ! -e "$recording.tsr" ]; }; then
    echo "time: lab clock only, $sealed"
    exit 0
fi
tail -n 1 "$recording" >"$work/last"
if [ -e "$plan.tsr" ]; then
    stamped "$plan" "$plan.tsr" "$(head -n 1 "$recording" | jq -r .started)"
    echo "time: ok, recorded after $at"
fi
if [ -e "$recording.tsr" ]; then
    stamped "$work/last" "$recording.tsr" "$(jq -r .at "$work/last")"
    echo "time: ok, recorded before $at"
fi
if [ -e "$token" ]; then
    stamped seal/statement.json.sshsig "$token" "$sealed"
    echo "time: ok, stamped at $at"
fi
