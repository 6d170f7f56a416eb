//! Declarations: what the maker says, how it is read, and how it drives judging.
#![expect(clippy::unwrap_used, reason = "tests")]
use patuh::model::{
    Ics, Ixit,
    declarations::{
        Edition, Supplied, csv, sbom,
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
