use proptest::prelude::*;

use super::*;

fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn an_origin_prints_as_it_is_normalised() {
    for (text, printed) in [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.COM/", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        (
            "https://api.example.com:8443",
            "https://api.example.com:8443",
        ),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(origin(text).to_string(), printed);
    }
}

#[test]
fn what_is_more_than_an_origin_is_refused() {
    for text in [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///path",
        "https://user@api.example.com",
        "https://user:pass@api.example.com",
        "https://api.example.com@evil.example",
        "https://api.example.com/path",
        "https://api.example.com//",
        "https://api.example.com?x",
        "https://api.example.com#x",
        "https://api.example.com\\@evil.example",
        "https://api.example.com:0",
        "https://api.example.com:65536",
        "https://api.example.com:x",
        "https://api.example.com.",
        "https://api.exam%70le.com",
        "https://api .example.com",
        "https://api.example.com\n",
        "https://\u{ff41}pi.example.com",
        "https://*.example.com",
    ] {
        assert!(Origin::parse(text).is_err(), "{text:?} was taken");
    }
}

#[test]
fn an_address_in_any_spelling_is_the_address() {
    for text in [
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://0177.0.0.1",
    ] {
        assert!(origin(text).is_loopback(), "{text}");
        assert_eq!(origin(text).to_string(), "http://127.0.0.1");
    }
}

#[test]
fn a_forbidden_address_in_any_spelling_is_refused() {
    for text in [
        "https://169.254.169.254",
        "https://2852039166",
        "https://0xa9fea9fe",
        "https://0xA9.0xFE.0xA9.0xFE",
        "https://0251.0376.0251.0376",
        "https://169.16689662",
        "https://10.1",
        "https://0x0a000001",
        "https://012.0.0.1",
        "https://192.168.257",
        "https://0",
        "https://100.100.100.200",
        "https://168.63.129.16",
        "https://255.255.255.255",
        "https://224.0.0.1",
        "https://[::]",
        "https://[fd00:ec2::254]",
        "https://[fe80::1]",
        "https://[ff02::1]",
        "https://[::ffff:a9fe:a9fe]",
        "https://[::ffff:169.254.169.254]",
        "https://[64:ff9b::169.254.169.254]",
        "https://[64:ff9b:1::9.9.9.9]",
        "https://[2002:a9fe:a9fe::1]",
        "https://[2001:0:a9fe:a9fe::1]",
        "https://[2606:4700::5efe:10.0.0.1]",
    ] {
        let origin = origin(text);
        for allow_loopback in [false, true] {
            assert!(origin.objection(allow_loopback).is_some(), "{text}");
        }
    }
    for text in [
        "https://[fe80::1%25eth0]",
        "https://[fe80::1%eth0]",
        "https://1.2.3.4.5",
    ] {
        assert!(Origin::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_name_that_no_public_host_can_have_is_refused() {
    for text in [
        "https://metadata.google.internal",
        "https://METADATA.google.INTERNAL",
        "https://metadata",
        "https://intranet",
        "https://xdr.local",
        "https://nas.home.arpa",
        "https://x.onion",
    ] {
        assert!(origin(text).objection(true).is_some(), "{text}");
    }
    for text in [
        "https://metadata.google.internal.",
        "https://api.example.com.",
    ] {
        assert!(Origin::parse(text).is_err(), "{text}");
    }
    for text in [
        "https://internal.example.com",
        "https://notlocal.example",
        "https://myinternal.com",
    ] {
        assert_eq!(origin(text).objection(false), None, "{text}");
    }
}

#[test]
fn what_a_person_types_becomes_an_origin() {
    for (typed, meant) in [
        (" api.example.com ", "https://api.example.com"),
        (
            "api.example.com/api_keys/validate/",
            "https://api.example.com",
        ),
        (
            "https://api.example.com:8443/x?y#z",
            "https://api.example.com:8443",
        ),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
    ] {
        assert_eq!(Origin::from_typed(typed), Ok(origin(meant)));
    }
    assert!(Origin::from_typed("https://user@api.example.com").is_err());
    assert!(Origin::from_typed("").is_err());
}

#[test]
fn only_https_and_public_hosts_pass_without_the_loopback_flag() {
    for (text, plain, with_flag) in [
        ("https://api.example.com", true, true),
        ("http://api.example.com", false, false),
        ("http://127.0.0.1:8080", false, true),
        ("https://127.0.0.1:8080", false, true),
        ("http://localhost:8080", false, true),
        ("http://xdr.localhost:8080", false, true),
        ("http://[::1]:8080", false, true),
        ("http://[::ffff:127.0.0.1]:8080", false, true),
        ("http://localhost.example.com", false, false),
        ("https://10.0.0.1", false, false),
        ("https://169.254.169.254", false, false),
        ("https://[fd00::1]", false, false),
        ("https://9.9.9.9", true, true),
    ] {
        assert_eq!(
            origin(text).objection(false).is_none(),
            plain,
            "{text} without the flag"
        );
        assert_eq!(
            origin(text).objection(true).is_none(),
            with_flag,
            "{text} with the flag"
        );
    }
}

#[test]
fn a_star_stands_for_one_label_or_part_of_it() {
    for (pattern, text, covered) in [
        (
            "https://api-*.example.com",
            "https://api-acme.example.com",
            true,
        ),
        (
            "https://api-*.example.com",
            "https://API-ACME.example.com",
            true,
        ),
        (
            "https://api-*.example.com",
            "https://api-.example.com",
            false,
        ),
        (
            "https://api-*.example.com",
            "https://acme.example.com",
            false,
        ),
        (
            "https://api-*.example.com",
            "https://api-acme.evil.example.com",
            false,
        ),
        (
            "https://api-*.example.com",
            "https://api-acme.example.com.evil.test",
            false,
        ),
        (
            "https://api-*.example.com",
            "https://api-acme.evilexample.com",
            false,
        ),
        (
            "https://api-*.example.com",
            "http://api-acme.example.com",
            false,
        ),
        (
            "https://api-*.example.com",
            "https://api-acme.example.com:8443",
            false,
        ),
        (
            "https://api-*.example.com:8443",
            "https://api-acme.example.com:8443",
            true,
        ),
        (
            "https://*.*.example.com",
            "https://api.us.example.com",
            true,
        ),
        ("https://*.*.example.com", "https://us.example.com", false),
        (
            "https://a*c*e.example.com",
            "https://abcde.example.com",
            true,
        ),
        (
            "https://a*c*e.example.com",
            "https://acde.example.com",
            false,
        ),
        ("https://a*a.example.com", "https://aa.example.com", false),
        ("https://api.example.com", "https://api.example.com", true),
        ("https://9.9.9.9", "https://9.9.9.9", true),
        ("https://*.example.com", "https://9.9.9.9", false),
    ] {
        let rule = OriginRule::pattern(pattern).unwrap();
        assert_eq!(
            rule.covers(&origin(text), |_| None),
            covered,
            "{pattern} over {text}"
        );
    }
}

#[test]
fn a_host_that_only_looks_like_the_patterns_is_not_covered() {
    let rule = OriginRule::pattern("https://api-*.example.com").unwrap();
    for text in [
        // Cyrillic, in the form in which a name travels.
        "https://api-acme.xn--exmple-4nf.com",
        "https://xn--api-acme-8fg.example.com",
        "https://api-x.evil.com",
        "https://api-x.evil.com.example.org",
        "https://api-x.example.com.evil.com",
        "https://api-x-example.com",
        "https://api-x.example.co",
        "https://api-x.example.com:80",
        "https://api-.example.com",
        "https://api-x.y.example.com",
        "https://apix.example.com",
    ] {
        assert!(!rule.covers(&origin(text), |_| None), "{text}");
    }
    for text in [
        "https://api-x.evil.com/.example.com",
        "https://api-x.evil.com#.example.com",
        "https://api-x.evil.com?.example.com",
        "https://api-x.evil.com\\.example.com",
        "https://api-x.evil.com%2f.example.com",
        "https://api-x.evil.com%00.example.com",
        "https://api-x.evil.com@.example.com",
        "https://api-x@evil.com",
        "https://api-x.ex\u{430}mple.com",
        "https://api-x\u{3002}evil.com",
        "https://api-x.example.com\u{200b}",
    ] {
        assert!(Origin::parse(text).is_err(), "{text} was taken");
    }
}

#[test]
fn what_is_typed_with_tricks_covers_nothing_but_the_host_that_it_leads_to() {
    let covers = |typed: &str, text: &str| {
        OriginRule::Field("/baseUrl".to_owned()).covers(&origin(text), |_| Some(typed.to_owned()))
    };
    for typed in [
        "https://evil.com@good.example.com",
        "https://good.example.com@evil.com",
        "https://good.example.com\\@evil.com",
        "https://good.example.com%2f@evil.com",
        "https://good.example.com%00.evil.com",
        "good.example.com\\evil.com",
        "//evil.com",
        "https:evil.com",
        "https:///evil.com",
        "javascript://evil.com",
        "https://evil.com\n",
        "https://ev\u{131}l.com",
        "https://evil.com.",
        "https://*.com",
        "*",
        "",
    ] {
        for text in ["https://good.example.com", "https://www.evil.com"] {
            assert!(!covers(typed, text), "{typed:?} covers {text}");
        }
    }
    // A host behind a path or a fragment is none.
    for typed in [
        "https://evil.com/good.example.com",
        "evil.com#good.example.com",
        "evil.com?@good.example.com",
    ] {
        assert!(
            covers(typed, "https://evil.com") && !covers(typed, "https://good.example.com"),
            "{typed}"
        );
    }
    let none = OriginRule::Field("/baseUrl".to_owned());
    assert!(!none.covers(&origin("https://evil.com"), |_| None));
}

#[test]
fn a_pattern_of_many_stars_is_judged_at_once() {
    let stars = format!("https://{}b.example.com", "*a".repeat(60));
    let rule = OriginRule::pattern(&stars).unwrap();
    let long = origin(&format!("https://{}.example.com", "a".repeat(200)));
    assert!(!rule.covers(&long, |_| None));
    let rule = OriginRule::pattern(&stars.replace('b', "")).unwrap();
    assert!(rule.covers(&long, |_| None));
}

#[test]
fn a_star_right_below_a_countrys_own_suffix_is_refused() {
    for pattern in [
        "https://*.co.uk",
        "https://api-*.com.au",
        "https://x.*.co.jp",
    ] {
        assert!(OriginRule::pattern(pattern).is_err(), "{pattern} was taken");
    }
    for pattern in [
        "https://*.example.co.uk",
        "https://*.example.de",
        "https://*.co.com",
    ] {
        assert!(
            OriginRule::pattern(pattern).is_ok(),
            "{pattern} was refused"
        );
    }
}

#[test]
fn a_pattern_that_could_be_anyones_domain_is_refused() {
    for pattern in [
        "https://*",
        "https://*.com",
        "https://api.*.com",
        "https://api.example.*",
        "*://api.example.com",
        "https://api.example.com:*",
        "https://*@api.example.com",
        "https://api.example.com/*",
        "https://10.*.0.1",
        "",
    ] {
        assert!(
            OriginRule::pattern(pattern).is_err(),
            "{pattern:?} was taken"
        );
    }
}

#[test]
fn a_field_covers_the_origin_that_the_user_typed_there() {
    let rule = OriginRule::Field("/baseUrl".to_owned());
    let typed =
        |pointer: &str| (pointer == "/baseUrl").then(|| "xdr.corp.example/console".to_owned());
    assert!(rule.covers(&origin("https://xdr.corp.example"), typed));
    assert!(!rule.covers(&origin("https://evil.example"), typed));
    assert!(!rule.covers(&origin("https://xdr.corp.example:444"), typed));
    assert!(
        !OriginRule::Field("/other".to_owned()).covers(&origin("https://xdr.corp.example"), typed)
    );
}

/// The plain way to match, which tries everything.
fn matches_slowly(pattern: &[u8], label: &[u8]) -> bool {
    match (pattern.split_first(), label.split_first()) {
        (None, None) => true,
        (Some((b'*', then)), Some((_, rest))) => {
            matches_slowly(then, rest) || matches_slowly(pattern, rest)
        }
        (Some((one, then)), Some((other, rest))) => one == other && matches_slowly(then, rest),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_label_matches_as_if_everything_were_tried(pattern in "[ab*]{1,6}", label in "[ab]{0,9}") {
        prop_assert_eq!(label_matches(&pattern, &label), matches_slowly(pattern.as_bytes(), label.as_bytes()));
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}") {
        let _ = Origin::parse(&text);
        let _ = Origin::from_typed(&text);
        let _ = OriginRule::pattern(&text);
    }

    #[test]
    fn a_printed_origin_reads_back_as_itself(host in "[a-z][a-z0-9-]{0,10}[a-z]\\.[a-z]{2,5}", port in 1u16..) {
        let first = Origin::parse(&format!("https://{host}:{port}")).unwrap();
        prop_assert_eq!(Origin::parse(&first.to_string()).unwrap(), first);
    }
}
