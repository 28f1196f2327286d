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

proptest! {
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
