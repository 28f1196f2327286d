//! What people paste, and what becomes of it.

use super::*;
use proptest::prelude::*;

const TENANT: &str = "https://api-mycompany.xdr.us.paloaltonetworks.com";

#[track_caller]
fn becomes(typed: &str, origin: &str) {
    match normalise(typed) {
        Ok(found) => assert_eq!(found.origin, origin, "typed: {typed:?}"),
        Err(why) => panic!("{typed:?} was refused: {why}"),
    }
}

#[track_caller]
fn refused(typed: &str, because: &str) {
    match normalise(typed) {
        Ok(found) => panic!("{typed:?} became {}", found.origin),
        Err(why) => assert!(why.contains(because), "{typed:?}: {why}"),
    }
}

#[test]
fn every_way_to_paste_a_tenant_gives_its_one_origin() {
    for typed in [
        "https://api-mycompany.xdr.us.paloaltonetworks.com",
        "https://api-mycompany.xdr.us.paloaltonetworks.com/",
        "https://api-mycompany.xdr.us.paloaltonetworks.com//",
        "https://api-mycompany.xdr.us.paloaltonetworks.com/public_api/v1",
        "https://api-mycompany.xdr.us.paloaltonetworks.com/public_api/v1/endpoints/get_endpoint/",
        "https://api-mycompany.xdr.us.paloaltonetworks.com/api_keys/validate/",
        "https://api-mycompany.xdr.us.paloaltonetworks.com?a=b",
        "https://api-mycompany.xdr.us.paloaltonetworks.com/?a=https://elsewhere.example",
        "https://api-mycompany.xdr.us.paloaltonetworks.com#top",
        "https://api-mycompany.xdr.us.paloaltonetworks.com:443",
        "https://api-mycompany.xdr.us.paloaltonetworks.com:443/public_api",
        "https://api-mycompany.xdr.us.paloaltonetworks.com:",
        "https://api-mycompany.xdr.us.paloaltonetworks.com.",
        "HTTPS://API-MyCompany.XDR.US.PaloAltoNetworks.COM",
        "api-mycompany.xdr.us.paloaltonetworks.com",
        "API-mycompany.xdr.us.paloaltonetworks.com/",
        "//api-mycompany.xdr.us.paloaltonetworks.com",
        "  https://api-mycompany.xdr.us.paloaltonetworks.com \n",
        "https://mycompany.xdr.us.paloaltonetworks.com",
        "https://mycompany.xdr.us.paloaltonetworks.com/dashboard",
        "https://mycompany.xdr.us.paloaltonetworks.com/incident-view/1#alerts",
        "https://MyCompany.xdr.us.paloaltonetworks.com:443/",
        "mycompany.xdr.us.paloaltonetworks.com",
        "mycompany.xdr.us.paloaltonetworks.com.",
        "https://api-api-mycompany.xdr.us.paloaltonetworks.com",
        "api-api-api-mycompany.xdr.us.paloaltonetworks.com",
    ] {
        becomes(typed, TENANT);
    }
}

#[test]
fn tenants_of_all_regions_and_products_are_known() {
    for (typed, origin) in [
        (
            "x.crtx.ca.paloaltonetworks.com",
            "https://api-x.crtx.ca.paloaltonetworks.com",
        ),
        (
            "a-b-1.xdr.eu.paloaltonetworks.com",
            "https://api-a-b-1.xdr.eu.paloaltonetworks.com",
        ),
        (
            "agency.xdr.federal.paloaltonetworks.com",
            "https://api-agency.xdr.federal.paloaltonetworks.com",
        ),
        (
            "mycompany.xdr.paloaltonetworks.com",
            "https://api-mycompany.xdr.paloaltonetworks.com",
        ),
        // A form that is not known yet is taken where it is typed whole.
        (
            "api-mycompany.new.form.us.paloaltonetworks.com",
            "https://api-mycompany.new.form.us.paloaltonetworks.com",
        ),
    ] {
        becomes(typed, origin);
    }
}

#[test]
fn a_prefix_typed_twice_is_taken_once_and_told() {
    let found = normalise("https://api-api-mycompany.xdr.us.paloaltonetworks.com").unwrap();
    assert_eq!(found.warnings.len(), 1, "{found:?}");
    assert!(normalise(TENANT).unwrap().warnings.is_empty());
}

#[test]
fn any_other_host_is_taken_as_typed() {
    for (typed, origin) in [
        ("https://cortex.example.com", "https://cortex.example.com"),
        ("Cortex.Example.COM:8443", "https://cortex.example.com:8443"),
        (
            "https://api-api-x.example.com",
            "https://api-api-x.example.com",
        ),
        (
            "https://mycompany.xdr.us.paloaltonetworks.com.example.com",
            "https://mycompany.xdr.us.paloaltonetworks.com.example.com",
        ),
        (
            "https://notpaloaltonetworks.com",
            "https://notpaloaltonetworks.com",
        ),
        (
            "https://xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
        ),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.9.8.7:1", "http://127.9.8.7:1"),
        (
            "http://localhost:4010/public_api/v1/",
            "http://localhost:4010",
        ),
        ("http://LOCALHOST.:4010", "http://localhost:4010"),
        ("http://sim.localhost", "http://sim.localhost"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("localhost:4010", "https://localhost:4010"),
        ("https://192.0.2.10:00443", "https://192.0.2.10"),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]"),
        ("https://http.example.com", "https://http.example.com"),
        ("httpserver.example.com", "https://httpserver.example.com"),
    ] {
        becomes(typed, origin);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_reason() {
    for (typed, because) in [
        ("", "is empty"),
        (" \t", "is empty"),
        ("https://api-<fqdn>", "placeholder"),
        ("https://api-%3Cfqdn%3E/", "placeholder"),
        ("https://api-{fqdn}/public_api/v1", "placeholder"),
        ("{{base_url}}", "placeholder"),
        ("https://api-fqdn", "placeholder"),
        ("https://api-yourfqdn/public_api/v1/", "placeholder"),
        ("fqdn", "placeholder"),
        ("https://", "names no host"),
        ("https:///path", "names no host"),
        ("https://:8443", "names no host"),
        ("/public_api/v1", "names no host"),
        ("ftp://mycompany.xdr.us.paloaltonetworks.com", "scheme"),
        ("file:///etc/hosts", "scheme"),
        (
            "https:/mycompany.xdr.us.paloaltonetworks.com",
            "two slashes",
        ),
        (
            "https//mycompany.xdr.us.paloaltonetworks.com",
            "two slashes",
        ),
        ("http:mycompany.xdr.us.paloaltonetworks.com", "two slashes"),
        ("http://mycompany.xdr.us.paloaltonetworks.com", "http://"),
        ("http://192.0.2.10", "http://"),
        ("http://localhost.example.com", "http://"),
        ("http://127.0.0.1.example.com", "http://"),
        (
            "https://user:password@mycompany.xdr.us.paloaltonetworks.com",
            "user name",
        ),
        ("https://127.0.0.1@cortex.example.com", "user name"),
        ("https://my company.xdr.us.paloaltonetworks.com", "blank"),
        (
            "https://mycompany.xdr.us.paloaltonetworks.com\u{a0}x",
            "blank",
        ),
        ("https://a.example.com\r\nHost: b", "blank"),
        ("https://m\u{fc}ller.example", "ASCII"),
        (
            "https://myc\u{43e}mpany.xdr.us.paloaltonetworks.com",
            "ASCII",
        ),
        ("https://a_b.example.com", "no valid name"),
        ("https://-a.example.com", "no valid name"),
        ("https://a..example.com", "no valid name"),
        ("https://.example.com", "no valid name"),
        ("https://a%2eexample.com", "no valid name"),
        ("https:\\\\a.example.com", "two slashes"),
        ("https://a.example.com\\@b.example.com", "user name"),
        ("https://a.example.com\\b", "no valid name"),
        ("'https://a.example.com'", "scheme"),
        ("https://a.example.com:http", "not a number"),
        ("https://a.example.com:+443", "not a number"),
        ("https://a.example.com:0", "between 1 and 65535"),
        ("https://a.example.com:65536", "between 1 and 65535"),
        (
            "https://mycompany.xdr.us.paloaltonetworks.com:8443",
            "port 443",
        ),
        ("https://1.2.3", "IPv4"),
        ("https://2130706433", "IPv4"),
        ("https://0x7f000001", "IPv4"),
        ("https://127.0.0.0x1", "IPv4"),
        ("https://256.1.1.1", "IPv4"),
        ("https://127.0.0.01", "IPv4"),
        ("https://2001:db8::1", "brackets"),
        ("::1", "brackets"),
        ("https://[::1", "not closed"),
        ("https://[::1]x", "no port"),
        ("https://[fe80::1%25eth0]", "no IPv6 address"),
        ("https://[::ffff:127.0.0.1]", "write 127.0.0.1"),
        ("https://paloaltonetworks.com", "web site"),
        (
            "https://www.paloaltonetworks.com",
            "not a Cortex XDR tenant",
        ),
        (
            "https://docs-cortex.paloaltonetworks.com/r/Cortex-XDR-REST-API",
            "not a Cortex XDR tenant",
        ),
        (
            "https://xdr.us.paloaltonetworks.com",
            "not a Cortex XDR tenant",
        ),
        ("https://api-.xdr.us.paloaltonetworks.com", "no valid name"),
    ] {
        refused(typed, because);
    }
}

#[test]
fn a_password_in_the_url_is_not_repeated() {
    let why = normalise("https://user:hunter2@cortex.example.com/?key=hunter2").unwrap_err();
    assert!(!why.contains("hunter2"), "{why}");
}

#[test]
fn a_path_that_a_proxy_may_need_is_told_as_left_out() {
    let found = normalise("https://gateway.example.com/cortex/").unwrap();
    assert_eq!(found.origin, "https://gateway.example.com");
    assert_eq!(found.warnings.len(), 1);
}

#[test]
fn a_name_that_the_prefix_makes_too_long_is_refused() {
    let label = "a".repeat(60);
    refused(&format!("{label}.xdr.us.paloaltonetworks.com"), "too long");
    becomes(
        &format!("{label}.example.com"),
        &format!("https://{label}.example.com"),
    );
}

proptest! {
    #[test]
    fn nothing_panics_and_an_origin_stays_as_it_is(typed in "\\PC{0,60}") {
        if let Ok(found) = normalise(&typed) {
            let again = normalise(&found.origin).expect("an origin is taken");
            prop_assert_eq!(again, BaseUrl { origin: found.origin, warnings: vec![] });
        }
    }

    #[test]
    fn url_like_text_gives_a_stable_origin(
        typed in "(https?://|HTTPS://|//|)(api-){0,2}[a-zA-Z0-9.\\[\\]:-]{0,20}(\\.xdr\\.us\\.paloaltonetworks\\.com)?(:[0-9]{0,6})?(/[a-z]{0,5})?"
    ) {
        if let Ok(found) = normalise(&typed) {
            let origin = found.origin;
            prop_assert!(origin.starts_with("https://") || origin.starts_with("http://"));
            prop_assert!(!origin.ends_with('/'));
            prop_assert_eq!(origin.to_ascii_lowercase(), origin.clone());
            prop_assert_eq!(normalise(&origin).map(|again| again.origin), Ok(origin));
        }
    }

    #[test]
    fn a_tenant_is_found_however_it_is_written(
        name in "[a-z][a-z0-9]{0,20}", region in "[a-z]{2}", scheme in "(https://|HTTPS://|)", prefix in "(api-)?", tail in "(/|/public_api/v1/|\\?q=1|)"
    ) {
        prop_assume!(!name.starts_with("api-") && name != "fqdn" && name != "yourfqdn");
        let typed = format!("{scheme}{prefix}{name}.xdr.{region}.paloaltonetworks.com{tail}");
        prop_assert_eq!(
            normalise(&typed).map(|found| found.origin),
            Ok(format!("https://api-{name}.xdr.{region}.paloaltonetworks.com"))
        );
    }
}
