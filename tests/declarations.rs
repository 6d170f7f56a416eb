//! Declarations: what the maker says, how it is read, and how it drives judging.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/recorded.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod recorded;
use patuh::judge::profile::Method;
use patuh::model::{
    Ics, Ixit,
    declarations::{
        Edition, Supplied, csv, ics_table, sbom,
        write::{self, Explained},
        xlsx,
    },
};

/// Something of every kind: texts of several lines, lists, references, yes or no with and without a remark, numbers,
/// a table with one entry, an empty table, a missing one, an entry that was only observed.
const IXIT: &str = r#"
24-TelData = []
x-public = ["coap:/time", "http:/status"]

[dut]
dut_name = "Camera"
model = "C-1"
firmware_version = "2.4.1"
constrained_device = false

[[x-endpoints]]
transport = "tcp"
port = 443
protocol = "https"
auth_ref = "AuthMech-1"
purpose = "settings"

[[x-endpoints]]
transport = "udp"
port = 5000
last_port = 5010
protocol = "rtp"
status = "transient"
purpose = "video, while somebody watches"

[[1-AuthMech]]
id = "AuthMech-1"
description = "user log-in\nof the settings page; = not a formula"
auth_factor = "password: set by the user"
security_guarantees = ["integrity", "authenticity"]
brute_force_prevention = "locked for 5 minutes after 5 failures"
x-mechanism = "http-form"
x-secret = "env:CAMERA_PASSWORD"

[[1-AuthMech]]
id = "AuthMech-2"
x-observed = true
x-mechanism = "ssh"

[4-Conf]
conf_vuln_actions = true
conf_vuln_monitoring = "only for parts of our own"

[[6-SoftComp]]
id = "SoftComp-1"
description = "firmware"
update_mechanisms = ["UpdMech-1", "UpdMech-2"]
crypto_usage = "yes"
version = "2.4.1"
"#;

fn read(text: &str) -> Result<Ixit, String> {
    Ixit::parse("ixit.toml", text).map_err(|e| e.to_string())
}

#[test]
fn a_missing_table_was_not_supplied_and_an_empty_one_says_that_there_is_none() {
    let ixit = read(IXIT).unwrap();
    assert_eq!(ixit.supplied("24-TelData"), Supplied::None);
    assert_eq!(ixit.supplied("21-PersData"), Supplied::NotSupplied);
    assert!(matches!(ixit.supplied("1-AuthMech"), Supplied::Entries([_, _])));
}

#[test]
fn an_entry_marked_as_observed_is_not_declared_until_the_mark_is_removed() {
    let ixit = read(IXIT).unwrap();
    let ids: Vec<_> = ixit.auth.unwrap().into_iter().map(|a| a.id).collect();
    assert_eq!(ids, ["AuthMech-1"]);
    let only = "[[1-AuthMech]]\nid = \"a\"\nx-observed = true\n";
    assert_eq!(read(only).unwrap().auth, None, "a table of observations alone was not supplied");
    assert_eq!(read(&only.replace("x-observed = true\n", "")).unwrap().auth.unwrap().len(), 1);
}

#[test]
fn a_mistake_in_an_ixit_is_named_with_file_line_and_remedy() {
    for (text, message) in [
        ("\n[[1-AuthMec]]\nid = \"a\"", "ixit.toml:2: unknown table `1-AuthMec`; did you mean `1-AuthMech`?"),
        (
            "[[1-AuthMech]]\nid = \"a\"\nauth_facter = \"x\"",
            "ixit.toml:3: 1-AuthMech: unknown field `auth_facter`; did you mean `auth_factor`?",
        ),
        ("[[28-LogIntf]]\nid = \"a\"", "ixit.toml:1: table `28-LogIntf` belongs to edition 2.1.1 of the form"),
        (
            "[cover]\nx = \"a\"",
            "ixit.toml:1: unknown table `cover`; tables are named by their key, such as `1-AuthMech`",
        ),
        ("edition = \"3\"", "ixit.toml:1: edition `3` is not known; use \"1.1.1\" or \"2.1.1\""),
        ("[[1-AuthMech]]\ndescription = \"a\"", "ixit.toml:1: 1-AuthMech: an entry has no `id`; give it one"),
        (
            "[[1-AuthMech]]\nid = \"a\"\n[[1-AuthMech]]\nid = \"a\"",
            "ixit.toml:3: 1-AuthMech: id `a` stands twice; give one of them another",
        ),
        ("[1-AuthMech]\nid = \"a\"", "ixit.toml:1: table `1-AuthMech` is a list; write [[1-AuthMech]] for each entry"),
        ("[4-Conf]", "ixit.toml:1: table `4-Conf` has nothing filled in"),
        (
            "[[x-endpoints]]\ntransport = \"tcp\"\nport = 99999\nprotocol = \"http\"",
            "ixit.toml:1: x-endpoints: `port` must be 1 to 65535, not 99999",
        ),
        (
            "[[1-AuthMech]]\nid = \"a\"\nx-mechanism = \"http-from\"",
            "ixit.toml:3: 1-AuthMech: `x-mechanism` cannot be `http-from`; did you mean `http-form`?",
        ),
    ] {
        let e = read(text).unwrap_err();
        assert!(e.starts_with(message), "{e}\n  instead of\n{message}");
    }
}

#[test]
fn a_secret_in_clear_is_an_error_that_names_its_key() {
    for (line, key) in [
        ("x-secret = \"hunter22\"", "x-secret"),
        ("password = \"env:X\"", "password"),
        ("description = \"log in with password=hunter22\"", "description"),
        ("security_guarantees = [\"https://admin:hunter22@cam/\"]", "security_guarantees"),
    ] {
        let e = read(&format!("[[1-AuthMech]]\nid = \"a\"\n{line}\n")).unwrap_err();
        assert!(e.starts_with("ixit.toml:3:") && e.contains(&format!("`{key}`")), "{e}");
        assert!(e.contains("secret in clear") && !e.contains("hunter22"), "{e}");
    }
    read("[[1-AuthMech]]\nid = \"a\"\nx-secret = \"file:/lab/camera\"\n").unwrap();
}

#[test]
fn an_ixit_survives_spreadsheet_and_csv_unchanged() {
    let written = read(IXIT).unwrap();
    let book = xlsx::write(&written).unwrap();
    assert_eq!(book, xlsx::write(&written).unwrap(), "the same IXIT gives the same bytes");
    let back = xlsx::read("ixit.xlsx", &book).unwrap();
    assert_eq!(back, written);
    assert_eq!(csv::read("ixit.csv", &csv::write(&written).unwrap()).unwrap(), written);
    for explained in [Explained::No, Explained::Yes] {
        let text = write::toml(&back, explained);
        assert_eq!(read(&text).unwrap_or_else(|e| panic!("{e}\n{text}")), written);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_is_changed_on_its_way_through_the_formats(text in "[ -~äπ漢\\n\\t]{1,60}", items in proptest::collection::vec("[ -~]{1,20}", 0..4), flag in proptest::bool::ANY) {
        let q = write::quoted;
        let items: Vec<String> = items.iter().map(|i| q(i)).collect();
        let toml = format!(
            "[[1-AuthMech]]\nid = \"a\"\ndescription = {}\nsecurity_guarantees = [{}]\n[4-Conf]\nconf_vuln_actions = {flag}\n",
            q(&text), items.join(", "));
        let written = read(&toml).unwrap_or_else(|e| panic!("{e}\n{toml}"));
        proptest::prop_assert_eq!(&xlsx::read("a.xlsx", &xlsx::write(&written).unwrap()).unwrap(), &written);
        proptest::prop_assert_eq!(&csv::read("a.csv", &csv::write(&written).unwrap()).unwrap(), &written);
        proptest::prop_assert_eq!(&read(&write::toml(&written, Explained::Yes)).unwrap(), &written);
    }
}

#[test]
fn the_form_names_every_table_of_its_edition_and_declares_nothing() {
    for (edition, renamed) in [(Edition::V1, "15-Intf"), (Edition::V2, "15-PhyIntf")] {
        let form = write::toml(&Ixit { edition, ..Ixit::default() }, Explained::Yes);
        assert!(form.contains(&format!("# [[{renamed}]]")), "{form}");
        for number in 1..=29 {
            assert!(form.contains(&format!("# ---- {number}-")), "{number}");
        }
        let read = read(&form).unwrap();
        assert!(read.tables.is_empty() && read.edition == edition);
        // With the comment marks of one table taken away, it is the start of a declaration.
        let started = form.replace("# [[3-VulnTypes]]\n# id", "[[3-VulnTypes]]\nid");
        assert_eq!(Ixit::parse("f", &started).unwrap().declared("3-VulnTypes").unwrap().len(), 1);
    }
}

/// A workbook with one sheet of these cells.
fn book(sheet: &str, cells: &[&[&str]], merged: bool) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let s = book.add_worksheet().set_name(sheet).unwrap();
    for (r, row) in (0u32..).zip(cells) {
        for (c, text) in (0u16..).zip(*row) {
            s.write_string(r, c, *text).unwrap();
        }
    }
    if merged {
        s.merge_range(1, 1, 2, 1, "both", &rust_xlsxwriter::Format::new()).unwrap();
    }
    book.save_to_buffer().unwrap()
}

#[test]
fn what_is_wrong_in_a_spreadsheet_is_named_by_sheet_and_cell() {
    let head: &[&str] = &["ID", "Description", "Time Frame"];
    for (sheet, cells, merged, message) in [
        ("8-UpdProc", vec![head, &["a", "", ""], &["b", "", ""]], true, "sheet `8-UpdProc`, cell B2: merged cells"),
        (
            "8-UpdProc",
            vec![&["ID", "Description", "Time Frane"][..]],
            false,
            "sheet `8-UpdProc`, cell C1: unknown heading `Time Frane`; did you mean `Time Frame`?",
        ),
        (
            "8-UpdProc",
            vec![&["ID", "Description"][..]],
            false,
            "sheet `8-UpdProc`, cell A1: the column `Time Frame` is missing",
        ),
        (
            "8-UpdProc",
            vec![head, &["a", "b", "c", "d"]],
            false,
            "sheet `8-UpdProc`, cell D2: a value without a heading",
        ),
        ("8-UpdProc", vec![head, &["", "b", ""]], false, "sheet `8-UpdProc`, cell A2: 8-UpdProc: an entry has no `id`"),
        ("8-UpdPro", vec![head], false, "sheet `8-UpdPro`: unknown table `8-UpdPro`; did you mean `8-UpdProc`?"),
    ] {
        let e = xlsx::read("i.xlsx", &book(sheet, &cells, merged)).unwrap_err().to_string();
        assert!(e.starts_with("i.xlsx:") && e.contains(message), "{e}\n  instead of\n{message}");
    }
    let whole = xlsx::read("i.xlsx", &book("8-UpdProc", &[head, &["a", "b", "3 days"]], false)).unwrap();
    assert_eq!(whole.declared("8-UpdProc").unwrap()[0].text("time_frame"), "3 days");
    let e = xlsx::read("i.xlsx", b"no workbook").unwrap_err().to_string();
    assert!(e.contains("not a workbook"), "{e}");
}

#[test]
fn what_is_wrong_in_a_csv_is_named_by_cell() {
    for (text, message) in [
        ("table,entry,feld,value\n", "i.csv:1: cell C1: heading `feld` where `field` belongs"),
        ("table,entry,field,value\n8-UpdProc,1,Time,x\n", "i.csv:2: cell C2: unknown heading `Time`"),
        ("table,entry,field,value\n8-UpdPro,1,ID,x\n", "i.csv:2: cell A2: unknown table `8-UpdPro`"),
    ] {
        let e = csv::read("i.csv", text.as_bytes()).unwrap_err().to_string();
        assert!(e.starts_with(message), "{e}");
    }
}

const ICS: &str = r#"catalogue = "en303645-v2"
[conditions]
"12" = true
"2" = false
[claims]
"5.1-1" = { support = "yes" }
"5.1-2" = { support = "not-applicable", reason = "no pre-installed passwords,\n\"none\"" }
"5.3-3" = { support = "no", reason = "= by hand" }
"#;

#[test]
fn an_ics_survives_spreadsheet_and_csv_unchanged() {
    let written = Ics::parse("ics.toml", ICS).unwrap();
    let book = ics_table::write_xlsx(&written).unwrap();
    assert_eq!(book, ics_table::write_xlsx(&written).unwrap(), "the same ICS gives the same bytes");
    assert_eq!(ics_table::read_xlsx("i.xlsx", &book).unwrap(), written);
    assert_eq!(ics_table::read_csv("i.csv", &ics_table::write_csv(&written).unwrap()).unwrap(), written);
    assert_eq!(Ics::parse("ics.toml", &written.toml()).unwrap(), written);
}

#[test]
fn what_is_wrong_in_the_spreadsheet_of_an_ics_is_named_by_cell() {
    let head: &[&str] = &["part", "id", "support", "reason"];
    for (sheet, cells, merged, message) in [
        ("ICS", vec![head, &["claim", "5.1-1", "yes"], &["claim", "5.1-2", "yes"]], true, "cell B2: merged cells"),
        ("ICS", vec![&["Teil", "id", "support", "reason"][..]], false, "cell A1: heading `Teil` where `part` belongs"),
        ("ICS", vec![&["part", "id", "支援", "reason"][..]], false, "cell C1: heading `支援` where `support` belongs"),
        ("ICS", vec![head, &["claim", "5.1-1", "ja"]], false, "cell C2: `ja` is no support; write yes, no or"),
        ("ICS", vec![head, &["condition", "2", "n/a"]], false, "cell C2: `n/a` is no answer to a condition"),
        ("ICS", vec![head, &["claim", "5.1-2", "N/A"]], false, "cell D2: `5.1-2` is claimed not applicable without"),
        ("ICS", vec![head, &["clam", "5.1-2", "yes"]], false, "cell A2: unknown part `clam`; did you mean `claim`?"),
        ("ICS", vec![head, &["claim", "", "yes"]], false, "cell B2: a row without an id"),
        ("ICS", vec![head, &["claim", "a", "yes"], &["claim", "a", "no"]], false, "cell B3: claim `a` stands twice"),
        ("ICS", vec![head, &["claim", "a", "yes", "", "x"]], false, "cell E2: a value without a heading"),
        ("Tabelle1", vec![head], false, "sheet `Tabelle1`, cell A1: an ICS is one sheet named `ICS`"),
    ] {
        let e = ics_table::read_xlsx("i.xlsx", &book(sheet, &cells, merged)).unwrap_err().to_string();
        assert!(e.starts_with("i.xlsx:") && e.contains(message), "{e}\n  instead of\n{message}");
    }
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "ics.toml", ICS);
    for (from, to) in [("ics.toml", "a.xlsx"), ("a.xlsx", "b.csv"), ("b.csv", "c.toml")] {
        assert_eq!(patuh(dir.path(), &["ics", "convert", from, to]).0, 0, "{from} to {to}");
    }
    let back = std::fs::read_to_string(dir.path().join("c.toml")).unwrap();
    assert_eq!(Ics::parse("c", &back).unwrap(), Ics::parse("ics", ICS).unwrap());
    let (code, _, err) = patuh(dir.path(), &["ics", "check", "a.xlsx"]);
    assert_eq!((code, err.contains("run `patuh ics convert a.xlsx ics.toml` first")), (65, true), "{err}");
}

const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
 {"type":"library","name":"openssl","version":"3.0.13","purl":"pkg:generic/openssl@3.0.13","licenses":[{"license":{"id":"Apache-2.0"}}],"supplier":{"name":"OpenSSL"}},
 {"type":"application","name":"busybox","version":"1.36.1","components":[{"type":"library","name":"libbb"}]}]}"#;
const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","packages":[
 {"name":"openssl","SPDXID":"SPDXRef-1","versionInfo":"3.0.13","supplier":"Organization: OpenSSL","licenseConcluded":"NOASSERTION","licenseDeclared":"Apache-2.0",
  "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:generic/openssl@3.0.13"}]}]}"#;

#[test]
fn a_bill_of_materials_becomes_software_components() {
    let cyclone = sbom::components("bom.json", CYCLONEDX.as_bytes()).unwrap();
    let names: Vec<_> = cyclone.iter().map(|c| (c.name.as_str(), c.version.as_str())).collect();
    assert_eq!(names, [("openssl", "3.0.13"), ("busybox", "1.36.1"), ("libbb", "")]);
    let spdx = sbom::components("bom.json", SPDX.as_bytes()).unwrap();
    for c in [&cyclone[0], &spdx[0]] {
        let told = (c.supplier.as_str(), c.licence.as_str(), c.purl.as_str());
        assert_eq!(told, ("OpenSSL", "Apache-2.0", "pkg:generic/openssl@3.0.13"));
    }
    let there = read("[[6-SoftComp]]\nid = \"SoftComp-1\"\ndescription = \"openssl\"\nversion = \"3.0.13\"\n").unwrap();
    let digest = patuh::model::Sha256Digest::of(CYCLONEDX.as_bytes());
    let new = sbom::entries(&cyclone, &digest, &there.tables["6-SoftComp"]);
    let ids: Vec<_> = new.iter().map(|e| (e.text("id"), e.text("description"))).collect();
    assert_eq!(ids, [("SoftComp-2", "busybox"), ("SoftComp-3", "libbb")], "what is there is not added again");
    for (text, message) in [
        ("{}", "bom.json: neither CycloneDX"),
        ("<bom/>", "bom.json: not JSON"),
        (r#"{"@graph":[]}"#, "bom.json: SPDX 3"),
        (r#"{"bomFormat":"CycloneDX"}"#, "bom.json: lists no component"),
        (r#"{"spdxVersion":"SPDX-2.3","packages":[{}]}"#, "bom.json: component 1 has no name"),
    ] {
        let e = sbom::components("bom.json", text.as_bytes()).unwrap_err().to_string();
        assert!(e.starts_with(message), "{e}");
    }
}

#[test]
fn a_claim_of_not_applicable_needs_a_reason() {
    let e = Ics::parse(
        "ics.toml",
        "[claims]\n\"5.1-1\" = { support = \"yes\" }\n\"5.1-2\" = { support = \"not-applicable\" }\n",
    );
    let e = e.unwrap_err().to_string();
    assert!(e.starts_with("ics.toml:3: `5.1-2` is claimed not applicable without a reason"), "{e}");
}

/// Runs the command in a directory: exit code, stdout, stderr.
fn patuh(dir: &std::path::Path, args: &[&str]) -> (i32, String, String) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_patuh")).args(args).current_dir(dir).output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
}

fn write(dir: &std::path::Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}

#[test]
fn a_new_ics_claims_nothing_and_its_check_names_every_gap() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(patuh(dir, &["ics", "new", "--out", "ics.toml"]).0, 0);
    let (code, _, err) = patuh(dir, &["ics", "new", "--out", "ics.toml"]);
    assert_eq!((code, err.contains("exists already")), (74, true), "{err}");
    let (code, out, _) = patuh(dir, &["ics", "check", "ics.toml", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["counts"]["gaps"]), (2, &serde_json::json!(68)), "{out}");
    // Every claim made and every condition answered, nothing is left to put right.
    let form = std::fs::read_to_string(dir.join("ics.toml")).unwrap();
    let filled: Vec<String> =
        form.lines().map(|l| if l.starts_with("# \"") { l.replacen("# ", "", 1) } else { l.to_owned() }).collect();
    write(dir, "full.toml", &filled.join("\n"));
    let (code, out, err) = patuh(dir, &["ics", "check", "full.toml"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn an_ics_that_contradicts_itself_is_told_so_before_any_packet() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ics = "[conditions]\n\"2\" = true\n\"12\" = false\n[claims]\n\"5.1-1\" = { support = \"not-applicable\", reason = \"x\" }\n\
        \"5.1-2\" = { support = \"not-applicable\", reason = \"x\" }\n\"5.3-3\" = { support = \"yes\" }\n\"5.2-1\" = { support = \"no\" }\n";
    write(dir, "ics.toml", ics);
    write(dir, "ixit.toml", "[[7-UpdMech]]\nid = \"u\"\n");
    let (code, out, err) = patuh(dir, &["ics", "check", "ics.toml", "--ixit", "ixit.toml"]);
    assert_eq!(code, 1, "{out}{err}");
    for line in [
        "ics.toml:5: contradiction: 5.1-1: claimed not applicable, although no condition of it is declared false",
        "ics.toml:6: contradiction: 5.1-2: claimed not applicable, although its condition 2 is declared to hold",
        "ics.toml:7: contradiction: 5.3-3: claimed, although its condition 12 is declared not to hold",
        "ics.toml:8: unmet: 5.2-1: mandatory, and declared as not met",
        "ics.toml:3: contradiction: condition 12: declared not to hold, but the IXIT has entries in table 7-UpdMech",
        "ics.toml:1: gap: 5.1-3: mandatory provision without a claim",
    ] {
        assert!(out.contains(line), "{line}\n not in\n{out}");
    }
    write(dir, "ics.toml", "[claims]\n\"5.3-15A\" = { support = \"yes\" }\n");
    let (code, _, err) = patuh(dir, &["ics", "check", "ics.toml"]);
    assert_eq!(
        (code, err.trim()),
        (65, "patuh: ics.toml:2: unknown provision `5.3-15A` of en303645-v2; did you mean `5.3-15`?")
    );
}

#[test]
fn an_ixit_check_names_empty_fields_missing_tables_and_references_that_lead_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(
        dir,
        "ixit.toml",
        "7-UpdMech = []\n[[6-SoftComp]]\nid = \"a\"\ndescription = \"x\"\nupdate_mechanisms = [\"U-1\"]\n",
    );
    let (code, out, err) = patuh(dir, &["ixit", "check", "ixit.toml"]);
    assert_eq!(code, 1, "{out}{err}");
    for line in [
        "ixit.toml:2: contradiction: 6-SoftComp a: field `update_mechanisms` refers to `U-1`, which table 7-UpdMech does not have",
        "ixit.toml:2: gap: 6-SoftComp a: field `crypto_usage` is empty",
        "ixit.toml:1: gap: 1-AuthMech: table not supplied, which the cases 5.1-1-1, ",
    ] {
        assert!(out.contains(line), "{line}\n not in\n{out}");
    }
    write(dir, "ixit.toml", "[[1-AuthMech]]\nid = \"a\"\npassword = \"hunter22\"\n");
    let (code, _, err) = patuh(dir, &["ixit", "check", "ixit.toml"]);
    assert_eq!((code, err.contains("`password`"), err.contains("hunter22")), (65, true, false), "{err}");
}

/// Counted unit by unit in the source.
const UNITS: usize = 226;
const NETWORK: usize = 56;

#[test]
fn every_unit_of_the_method_is_bound_in_exactly_one_way_and_stands_in_the_table_once() {
    use patuh::judge::profile::table::{Decided, Pass, Row};
    let method = Method::find("ts103701-v1").unwrap();
    for (_, case, u) in method.units() {
        let ways = [!u.checks.is_empty(), u.attest.is_some(), u.same_as.is_some()];
        assert_eq!(ways.iter().filter(|w| **w).count(), 1, "{}", u.id);
        assert!(u.completes.is_none() || !u.checks.is_empty(), "{}: only checks are completed", u.id);
        let step = u.attest.is_some() || u.completes.is_some();
        assert!(u.decides.is_empty() || step, "{}: what an assessor does where the deciding checks cannot", u.id);
        assert!(u.id.starts_with(&case.id), "{} of {}", u.id, case.id);
        for id in u.checks.iter().chain(&u.decides) {
            assert!(patuh::judge::check::find(id).is_some(), "{}: no check `{id}`", u.id);
        }
        let step = u.attest.iter().chain(&u.completes).all(|s| s.contains("Fails when"));
        assert!(step, "{}: a step says when the unit fails", u.id);
    }
    let table = method.table(|id| patuh::scan::probe::find(id).map(|p| p.touch));
    let ids: std::collections::BTreeSet<&str> = table.units.iter().map(|r| r.unit).collect();
    assert_eq!((ids.len(), table.units.len()), (UNITS, UNITS));
    let c = &table.counts;
    assert_eq!(c.checks + c.assessor + c.repeats, UNITS);
    assert_eq!(c.network, NETWORK);
    println!("{} of {NETWORK} network units have checks, {} pass without a person", c.network_checks, c.network_alone);
    // What concerns updates and their publication is decided without a person where all inputs are supplied.
    let of_updates = |r: &&Row| r.network.is_some() && (r.unit.starts_with("5.2-") || r.unit.starts_with("5.3-"));
    let alone = |r: &Row| matches!(r.decided, Decided::Checks { pass: Pass::Alone, .. });
    let (here, left): (Vec<_>, Vec<_>) = table.units.iter().filter(of_updates).partition(|r| alone(r));
    assert_eq!(left.iter().map(|r| r.unit).collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(here.len(), 16);
    assert!(c.network_checks >= 50 && c.network_alone >= 45, "fewer network units are automatic than there were");
}

#[test]
fn the_profile_of_the_standard_asks_every_check_that_decides_a_unit() {
    let profile = patuh::judge::Profile::builtin("etsi-en303645-v2").unwrap();
    let asked: std::collections::BTreeSet<&str> =
        profile.requirements.iter().flat_map(|r| r.checks.iter().map(String::as_str)).collect();
    for (_, _, u) in Method::find("ts103701-v1").unwrap().units() {
        for id in &u.decides {
            assert!(asked.contains(id.as_str()), "{}: {id} decides it, and the profile does not ask it", u.id);
        }
    }
}

#[test]
fn the_table_of_units_says_what_decides_each_and_what_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let table = |more: &[&str]| patuh(dir.path(), &[&["method", "table"], more].concat()).1;
    let json: serde_json::Value = serde_json::from_str(&table(&["--format", "json"])).unwrap();
    let unit = |id: &str| json["units"].as_array().unwrap().iter().find(|u| u["unit"] == id).unwrap();
    let inventory = unit("5.1-1-2a");
    assert_eq!(inventory["checks"], serde_json::json!(["auth-mech-inventory"]));
    assert_eq!((&inventory["pass"], &inventory["network"]), (&"completed".into(), &"basic".into()));
    assert_eq!(inventory["inputs"]["read"], serde_json::json!(["1-AuthMech", "x-endpoints"]));
    assert_eq!((&inventory["inputs"]["touch"], &inventory["inputs"]["samples"]), (&"log-in".into(), &1.into()));
    assert_eq!(unit("5.1-2-2a")["inputs"]["samples"], 2);
    assert_eq!(unit("4-1-1a")["decided_by"], "assessor");
    let csv = table(&["--format", "csv"]);
    assert_eq!(csv.lines().count(), 1 + UNITS);
    assert!(csv.lines().any(|l| l.starts_with("\"5.6-1-2b\",") && l.contains("\"svc-undeclared-open ")), "{csv}");
    let text = table(&[]);
    assert!(text.lines().all(|l| l.chars().count() <= 100) && text.contains("226 test units"));
    let (code, _, err) = patuh(dir.path(), &["method", "table", "--method", "ts103701-v2"]);
    assert_eq!((code, err.contains("did you mean `ts103701-v1`")), (64, true), "{err}");
}

/// A camera with a log-in and a broker, recorded.
fn camera(dir: &std::path::Path) {
    let seen = [
        recorded::open("tcp/127.0.0.1:22"),
        recorded::service("ssh", "tcp/127.0.0.1:22"),
        recorded::surface("ssh", "tcp/127.0.0.1:22"),
    ];
    std::fs::create_dir(dir.join("camera")).unwrap();
    write(dir, "camera/recording.jsonl", &recorded::lines(&seen));
}

#[test]
fn what_a_recording_fills_in_is_no_declaration_until_its_marks_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    camera(dir);
    assert_eq!(patuh(dir, &["ixit", "new", "--from", "camera", "--out", "ixit.toml"]).0, 0);
    let text = std::fs::read_to_string(dir.join("ixit.toml")).unwrap();
    let marked = read(&text).unwrap();
    assert_eq!((marked.auth, marked.endpoints), (None, None));
    let ixit = read(&text.replace("x-observed = true\n", "")).unwrap();
    let (auth, endpoints) = (ixit.auth.unwrap(), ixit.endpoints.unwrap());
    assert_eq!(auth.iter().map(|a| a.mechanism.as_str()).collect::<Vec<_>>(), ["ssh"]);
    assert_eq!(endpoints.iter().map(|e| (e.port, e.protocol.as_str())).collect::<Vec<_>>(), [(22, "ssh")]);
    let (_, out, _) = patuh(dir, &["ixit", "check", "ixit.toml"]);
    assert!(out.contains("gap: 1-AuthMech AuthMech-1: observed, not declared"), "{out}");
    let (_, ics, _) = patuh(dir, &["ics", "new", "--from", "camera"]);
    assert!(ics.contains("# observed, not declared: a log-in by ssh on tcp/127.0.0.1:22 (r"), "{ics}");
}

#[test]
fn forms_are_converted_and_bills_of_materials_are_appended() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "ixit.toml", IXIT);
    write(dir, "bom.json", CYCLONEDX);
    for (from, to) in [("ixit.toml", "a.xlsx"), ("a.xlsx", "b.csv"), ("b.csv", "c.toml")] {
        let (code, _, err) = patuh(dir, &["ixit", "convert", from, to]);
        assert_eq!(code, 0, "{from} to {to}: {err}");
    }
    let back = std::fs::read_to_string(dir.join("c.toml")).unwrap();
    assert_eq!(read(&back).unwrap(), read(IXIT).unwrap());
    assert_eq!(patuh(dir, &["ixit", "convert", "ixit.toml", "form.ods"]).0, 64);
    camera(dir);
    let (code, _, err) = patuh(dir, &["judge", "camera", "--profile", "asean-baseline", "--ixit", "a.xlsx"]);
    assert_eq!((code, err.contains("run `patuh ixit convert a.xlsx ixit.toml` first")), (65, true), "{err}");
    assert!(patuh(dir, &["explain", "28-LogIntf"]).1.starts_with("28-LogIntf: Logical Interfaces (IXIT"));
    let (code, _, err) = patuh(dir, &["ixit", "import-sbom", "bom.json", "--into", "ixit.toml"]);
    assert_eq!((code, err.contains("3 components added")), (0, true), "{err}");
    let grown = std::fs::read_to_string(dir.join("ixit.toml")).unwrap();
    assert!(grown.starts_with(IXIT), "what the maker wrote stays");
    assert_eq!(read(&grown).unwrap().tables["6-SoftComp"].len(), 4);
    let (_, _, err) = patuh(dir, &["ixit", "import-sbom", "bom.json", "--into", "ixit.toml"]);
    assert!(err.contains("0 components added, 3 were there"), "{err}");
}

#[test]
fn an_attestation_is_appended_judged_and_bound_to_its_attachment() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    camera(dir);
    write(dir, "label.txt", "photo");
    let attest = |more: &[&str]| {
        let base = ["attest", "camera", "--unit", "4-1-1a", "--by", "A. Tan", "--why", "read it"];
        patuh(dir, &[&base[..], more].concat())
    };
    assert_eq!(attest(&["--verdict", "inconclusive"]).0, 0);
    let (code, _, err) = attest(&["--verdict", "pass", "--attach", "label.txt", "--second", "B. Lim"]);
    assert_eq!(code, 0, "{err}");
    let kept = std::fs::read_to_string(dir.join("camera/attestations.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 2, "the earlier one stays");
    let judge = || patuh(dir, &["judge", "camera", "--profile", "etsi-en303645-v2", "--format", "json"]);
    let v: serde_json::Value = serde_json::from_str(&judge().1).unwrap();
    let row = v["requirements"].as_array().unwrap().iter().find(|r| r["id"] == "4-1").unwrap();
    assert_eq!(row["outcome"], "PASS", "{row}");
    assert!(v["inputs"]["attestations"].as_str().unwrap().starts_with("sha256:"));
    let (_, list, _) = patuh(dir, &["assess", "camera", "--profile", "etsi-en303645-v2"]);
    assert!(list.contains("5.1-1-1a (5.1-1, conceptual)") && !list.contains("\n4-1-1a ("), "{list}");
    let attached = v["attestations"][1]["attachment"]["name"].as_str().unwrap();
    write(dir, &format!("camera/attachments/{attached}"), "another photo");
    let (code, _, err) = judge();
    assert_eq!((code, err.contains("its digest differs")), (65, true), "{err}");
}

#[test]
fn who_attests_or_waives_something_unknown_is_told_what_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    camera(dir);
    let (code, _, err) =
        patuh(dir, &["attest", "camera", "--unit", "5.1-1-1z", "--verdict", "pass", "--by", "A", "--why", "x"]);
    assert_eq!(
        (code, err.contains("no unit or requirement `5.1-1-1z`; did you mean `5.1-1-1a`?")),
        (64, true),
        "{err}"
    );
    let waive = |requirement: &str, expires: &str| {
        patuh(dir, &["waive", "camera", "--requirement", requirement, "--by", "C", "--why", "x", "--expires", expires])
    };
    assert_eq!(waive("5.9", "2999-01-01").0, 64);
    assert_eq!(waive("5.6-1", "2001-01-01").0, 64);
    assert!(!dir.join("camera/attestations.jsonl").exists(), "nothing was written");
    assert_eq!(waive("5.6-1", "2999-01-01").0, 0);
    let (_, text, _) = patuh(dir, &["judge", "camera", "--profile", "etsi-en303645-v2"]);
    assert!(text.contains("waived, which changes no outcome (1)"), "{text}");
}
