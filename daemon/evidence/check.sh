#!/bin/sh
# Each step says OK, or what is wrong; hashes that left the node (anchors) may be named behind it, and before them
# with --trust a key that began anew after a restore. It runs in the folder of the archive, from wherever it lies.
# 每一步输出 OK，或指出问题所在；其后可列出本站此前发出的哈希值（锚点）；恢复备份后新建的密钥以 --trust 列出。
set -e
here=$(dirname "$0")
trusted=
while [ "$1" = --trust ]; do
	trusted="$trusted $2"
	shift 2
done
anchors=$*
export LC_ALL=C
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
bad() { echo "$1"; echo '核验未通过，首处不符见上。'; exit 1; }
public() { openssl pkey -pubin -in "$1" -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \n'; }
bytes() { awk -v hex="$1" 'BEGIN { digits = "123456789abcdef"
	for (i = 1; i < length(hex); i += 2) printf "%c", 16 * index(digits, substr(hex, i, 1)) + index(digits, substr(hex, i + 1, 1)) }'; }

for own in check.sh check.py; do
	cmp -s "$own" "$here/$own" ||
		echo "NOTE 注意: $own of the archive is not the program that checks here 包内的 $own 与本核验程序不同"
done
sha256sum --check --quiet --strict SHA256SUMS
# a name with a control character could be taken for another one
{ cut -c67- SHA256SUMS; printf '%s\n' SHA256SUMS SHA256SUMS.sig sums.pem; } >"$scratch/listed"
[ -z "$(find . -name '*[[:cntrl:]]*')" ] || bad 'a file has a name with a control character'
find . ! -type d ! -type f | sed 's,^\./,,' >"$scratch/extra"
[ ! -s "$scratch/extra" ] || bad "$(head -n 1 "$scratch/extra"): not a plain file"
sed -n 's,/[^/]*$,,p' "$scratch/listed" | sort -u >>"$scratch/listed"
find . ! -name . | sed 's,^\./,,' | grep -v -x -F -f "$scratch/listed" >"$scratch/extra" || true
[ ! -s "$scratch/extra" ] || bad "$(head -n 1 "$scratch/extra"): not listed in SHA256SUMS"
echo 'files OK'

openssl pkeyutl -verify -pubin -inkey sums.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
grep -q " $(public sums.pem) " keys || bad 'sums.pem: not one of keys'
echo 'archive OK'

head -n 1 VERIFY.txt | grep -q '^clean' || bad "VERIFY.txt: $(head -n 1 VERIFY.txt)"
for file in attachments/*; do
	[ -e "$file" ] || continue
	[ "${file#attachments/}" = "$(sha256sum <"$file" | cut -c1-64)" ] || bad "$file: not what its name says"
done
echo 'attachments OK'

digest=$(tail -n +2 readings.csv | sha256sum | cut -c1-64)
if grep -q "\"digest\":\"$digest\"" case.json; then echo 'readings OK'
elif grep -q '"digest":null}' case.json; then echo 'readings: the case has no digest yet'
elif grep -q '"kind":9,' rows.jsonl; then echo 'readings: some may have been removed by rule 部分数据可能已按保存期限清除 (see check.py)'
else bad 'readings: not those of the case'; fi

signed_by() { # a line, by a public key
	bytes "302a300506032b6570032100$2" >"$scratch/key.der"
	bytes "${1##* }" >"$scratch/sig"
	printf %s "${1% *}" >"$scratch/text"
	openssl pkeyutl -verify -pubin -keyform DER -inkey "$scratch/key.der" -rawin -in "$scratch/text" -sigfile "$scratch/sig" \
		>"$scratch/said" 2>&1
}
former=
while IFS= read -r line; do
	set -- $line
	if ! signed_by "$line" "${former:-$8}"; then
		case " $trusted " in
		*" $8 "*) signed_by "$line" "$8" || bad "keys: key $5 is signed by no key" ;;
		*) bad "keys: key $5 is not signed by the one before it; if it was written down when the store was restored: --trust $8" ;;
		esac
		echo "NOTE 注意: key $5 begins anew and is trusted 密钥 $5 为恢复后新建，已按指定信任: $8"
	fi
	former=$8
done <keys
echo "keys OK; compare the first with the one that was written down 请与书面登记核对: $(head -n 1 keys | cut -d' ' -f8)"

[ ! -s entries.csv ] || [ -e seal-case.txt ] || bad 'seal: no seal covers the case yet'
[ "$(wc -l <readings.csv)" -lt 2 ] || [ -e seal.txt ] || bad 'seal: no seal covers these readings yet'
for seal in seal*.txt; do
	[ -e "$seal" ] || continue
	name=${seal#seal}; name=${name%.txt}
	openssl pkeyutl -verify -pubin -inkey "key$name.pem" -rawin -in "$seal" -sigfile "seal$name.sig"
	number=$(cut -d' ' -f7 "$seal")
	grep -q "^key 1 [^ ]* [^ ]* $number [^ ]* [^ ]* $(public "key$name.pem") " keys || bad "key$name.pem: not the key that the seal names"
	echo "$seal OK: key $number"
done

# each seal has the hash of the one before it (check.py): the last of each key in a row speaks for all of that key
cat seals/*.seals | sort -n -k5,5 | awk '
	NR > 1 && ($5 != number + 1 || $7 != key) { print line }
	{ line = $0; number = $5; key = $7 }
	END { if (NR) print line }' >"$scratch/ends"
while IFS= read -r line; do
	set -- $line
	signed_by "$line" "$(awk -v key="$7" '$5 == key { print $8 }' keys)" || bad "seals: seal $5 is not signed by key $7"
done <"$scratch/ends"
echo 'seals OK'

# what the seals name: links, frames, the ledger's entries, and what people read of them
python3 "$here/check.py" $anchors
