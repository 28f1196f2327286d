//! Each way to write something, and what it is read as.

use super::now;
use crate::query::{AssetQuery, DEEPEST, FindingQuery, MOST_VALUES};

fn assets(text: &str) -> String {
    match AssetQuery::parse(text, now()) {
        Ok(query) => query.to_string(),
        Err(error) => panic!("{error}\n{}", error.picture()),
    }
}

fn findings(text: &str) -> String {
    match FindingQuery::parse(text, now()) {
        Ok(query) => query.to_string(),
        Err(error) => panic!("{error}\n{}", error.picture()),
    }
}

#[test]
fn the_queries_that_the_products_print_are_read_as_printed() {
    assert_eq!(
        assets("asset.inventory:(source:`Cortex XDR`)"),
        "asset.inventory.source:`Cortex XDR`"
    );
    assert_eq!(
        findings("finding.vendorProductName:`Cortex XDR`"),
        "finding.vendorProductName:`Cortex XDR`"
    );
    assert_eq!(
        assets(
            "finding source equals PAN Cortex XDR and Onboarding source equals security.safe.cortex.xdr"
        ),
        "asset.findingSource:`PAN Cortex XDR` and asset.onboardingSource:`security.safe.cortex.xdr`"
    );
}

/// Each target of the table that is printed for the connector.
#[test]
fn each_printed_target_field_is_a_field() {
    for path in [
        "externalAssetId",
        "hostName",
        "operatingSystem.name",
        "operatingSystem.version",
        "domain",
        "type",
        "networkInterfaces[].ipAddress",
        "networkInterfaces[].ipv4Address",
        "networkInterfaces[].ipv6Address",
        "networkInterfaces[].macAddress",
        "temp_q_customAttributes.serverTags",
        "temp_q_customAttributes.endPointTags",
        "asset.assetDetail.cloudInfo.provider",
    ] {
        assert!(assets(&format!("{path}:x")).starts_with("asset."), "{path}");
    }
    assert_eq!(assets("firstFoundDate:2026"), "asset.firstFoundDate:2026");
    for path in [
        "finding[].externalFindingId",
        "finding[].findingType.vulnerability.cveId",
        "finding[].description",
        "finding[].sourceSeverity",
        "finding[].name",
    ] {
        assert!(
            findings(&format!("{path}:x")).starts_with("finding."),
            "{path}"
        );
    }
    assert_eq!(
        findings("finding[].severity:5"),
        "finding.severity:critical"
    );
    assert_eq!(
        findings("finding[].sourceRiskScore:9.8"),
        "finding.sourceRiskScore:9.8"
    );
    assert_eq!(
        findings("finding[].firstFoundOn>now"),
        "finding.firstFoundOn>2026-03-31T12:34:56.789Z"
    );
}

#[test]
fn values_are_read_by_their_quotes() {
    for (typed, read) in [
        ("name:web", r#"asset.name:"web""#),
        ("name: web prod ", "asset.name:[web prod]"),
        (r#"name:"web prod""#, r#"asset.name:"web prod""#),
        ("name:'web prod'", r#"asset.name:"web prod""#),
        ("name:\u{201c}web prod\u{201d}", r#"asset.name:"web prod""#),
        ("name:`web prod`", "asset.name:`web prod`"),
        ("name:`a``b`", "asset.name:`a``b`"),
        (r#"name:"a ""b"" c""#, r#"asset.name:"a ""b"" c""#),
        ("name:srv-*", r#"asset.name:"srv-*""#),
        ("name:`srv-*`", "asset.name:`srv-*`"),
        ("name:*", "asset.name:*"),
        ("name:[a, `b`, \"c\"]", r#"asset.name:["a", `b`, "c"]"#),
        ("name:(a or `b`)", r#"asset.name:"a" or asset.name:`b`"#),
        (
            "name:(srv-* and not *test*)",
            r#"asset.name:"srv-*" and not asset.name:"*test*""#,
        ),
        (
            "ip:fe80::1",
            r#"asset.networkInterfaces.ipAddress:"fe80::1""#,
        ),
        (r"name:C:\Windows", r#"asset.name:"C:\Windows""#),
        ("name = web prod", "asset.name:`web prod`"),
        ("name == web*", r#"asset.name:"web*""#),
        ("name != web", "not asset.name:`web`"),
        ("name contains `a*b`", r#"asset.name:"*a*b*""#),
        ("name does not contain x", r#"not asset.name:"x""#),
        ("name is not `x`", "not asset.name:`x`"),
        ("name not equals x", "not asset.name:`x`"),
        ("name does not equal x", "not asset.name:`x`"),
        ("name:[`null`, null]", r#"asset.name:[`null`, "null"]"#),
    ] {
        assert_eq!(assets(typed), read, "{typed}");
    }
}

#[test]
fn what_is_absent_is_asked_for_in_several_ways() {
    for typed in [
        "asset.domain is null",
        "domain:null",
        "domain: NULL",
        "not domain:*",
        "domain=null",
    ] {
        assert_eq!(assets(typed), "not asset.domain:*", "{typed}");
    }
    for typed in ["domain is not null", "domain != null", "not not domain:*"] {
        assert_eq!(assets(typed), "not not asset.domain:*", "{typed}");
    }
    assert_eq!(findings("severity is null"), "not finding.severity:*");
    assert_eq!(findings("closedAt is null"), "not finding.closedAt:*");
}

#[test]
fn severities_and_dates_are_compared() {
    for (typed, read) in [
        ("finding.severity:critical", "finding.severity:critical"),
        ("severity >= High", "finding.severity>=high"),
        ("severity:>3", "finding.severity>medium"),
        (
            "severity:[critical, HIGH, unknown]",
            "finding.severity:[critical, high, unknown]",
        ),
        ("severity:[low .. high]", "finding.severity:[low .. high]"),
        (
            "severity:(1..5)",
            "finding.severity:(informational .. critical)",
        ),
        ("severity != low", "not finding.severity:low"),
        ("firstSeen < 2026-01-31", "finding.firstSeen<2026-01-31"),
        (
            "firstSeen:[2026-01-01 .. now-7d]",
            "finding.firstSeen:[2026-01-01 .. 2026-03-24T12:34:56.789Z]",
        ),
        (
            "firstSeen:[2026-01-01..2026-02)",
            "finding.firstSeen:[2026-01-01 .. 2026-02)",
        ),
        (
            "finding.lastSeen > now - 2w",
            "finding.lastSeen>2026-03-17T12:34:56.789Z",
        ),
        ("firstSeen:'2026-01-31'", "finding.firstSeen:2026-01-31"),
        ("score >= 9", "finding.sourceRiskScore>=9"),
        ("score:(6.5 .. 9]", "finding.sourceRiskScore:(6.5 .. 9]"),
        (
            "status:OPEN or status:FIXED",
            "finding.status:[open] or finding.status:[closed]",
        ),
    ] {
        assert_eq!(findings(typed), read, "{typed}");
    }
}

#[test]
fn not_binds_closer_than_and_and_and_closer_than_or() {
    assert_eq!(
        assets("NOT name:a AND name:b Or name:c and (name:d or name:e)"),
        r#"not asset.name:"a" and asset.name:"b" or asset.name:"c" and (asset.name:"d" or asset.name:"e")"#
    );
    assert_eq!(
        assets("not (name:a or not name:b)"),
        r#"not (asset.name:"a" or not asset.name:"b")"#
    );
    assert_eq!(assets("((((name:a))))"), r#"asset.name:"a""#);
}

#[test]
fn a_group_of_findings_is_one_finding_and_single_tests_are_one_each() {
    assert_eq!(
        assets("finding:(severity >= high and title:x and not asset.name:y)"),
        r#"finding:(finding.severity>=high and finding.title:"x" and not asset.name:"y")"#
    );
    assert_eq!(
        assets("severity >= high and finding.title:x"),
        r#"finding.severity>=high and finding.title:"x""#
    );
    assert_eq!(
        assets("finding.findingType:(vulnerability.cveId:x)"),
        r#"finding:(finding.cveId:"x")"#.replace("finding:(", "").replace(')', "")
    );
    assert_eq!(
        findings("asset:(name:x and operatingSystem:(name:windows))"),
        r#"asset.name:"x" and asset.operatingSystem.name:"windows""#
    );
}

#[test]
fn names_without_a_subject_are_of_the_subject_that_is_listed() {
    assert_eq!(assets("source:x"), r#"asset.inventory.source:"x""#);
    assert_eq!(findings("source:x"), r#"finding.findingSource:"x""#);
    assert_eq!(
        findings("Onboarding source equals x"),
        "asset.onboardingSource:`x`"
    );
}

#[test]
fn any_place_of_a_document_is_reached_by_its_path() {
    for (typed, read) in [
        (
            "document.networkInterfaces[].ipAddress:x",
            r#"asset.document.networkInterfaces.ipAddress:"x""#,
        ),
        (
            "customFields.Business-Unit:x",
            r#"asset.document.customFields.Business-Unit:"x""#,
        ),
        (
            "document.customFields.Business unit = x",
            "asset.document.customFields.Business unit:`x`",
        ),
        ("document.score > 7", "asset.document.score>7"),
        ("document.seen > 2026-01", "asset.document.seen>2026-01"),
        (
            "document.seen:[now-1d .. now]",
            "asset.document.seen:[2026-03-30T12:34:56.789Z .. 2026-03-31T12:34:56.789Z]",
        ),
        ("document:(a.b:x)", r#"asset.document.a.b:"x""#),
        ("finding.document.a:x", r#"finding.document.a:"x""#),
    ] {
        assert_eq!(assets(typed), read, "{typed}");
    }
}

#[test]
fn a_query_says_whether_it_asks_for_the_state() {
    let asset = |text| AssetQuery::parse(text, now()).unwrap().asks_for_state();
    assert!(asset("not (name:a or state:inactive)"));
    assert!(!asset("name:a and finding.status:closed"));
    let finding = |text| FindingQuery::parse(text, now()).unwrap().asks_for_state();
    assert!(finding("status:closed and name:a"));
    assert!(!finding("asset.state:inactive"));
}

#[test]
fn hostile_queries_are_bounded() {
    let deep = |n: usize| format!("{}name:a{}", "(".repeat(n), ")".repeat(n));
    assert!(AssetQuery::parse(&deep(DEEPEST), now()).is_ok());
    assert!(AssetQuery::parse(&deep(DEEPEST + 1), now()).is_err());
    assert!(AssetQuery::parse(&deep(4_000), now()).is_err());
    assert!(AssetQuery::parse(&format!("{}name:a", "not ".repeat(1_000)), now()).is_err());
    assert!(AssetQuery::parse(&"name:(".repeat(1_000), now()).is_err());
    assert!(AssetQuery::parse(&format!("name:{}", "x".repeat(9_000)), now()).is_err());
    let list = |n: usize| format!("name:[{}]", vec!["a"; n].join(", "));
    assert!(AssetQuery::parse(&list(MOST_VALUES), now()).is_ok());
    assert!(AssetQuery::parse(&list(MOST_VALUES + 1), now()).is_err());
}
