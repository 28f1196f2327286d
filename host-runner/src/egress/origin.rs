//! Where a connection goes: scheme, host and port, and the manifest's rules for them.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::address;

/// How an origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TLS. The rule.
    Https,
    /// Plain text; only to loopback, where the connection allows that.
    Http,
}

impl Scheme {
    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }

    /// The port where none is given.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Https => 443,
            Scheme::Http => 80,
        }
    }
}

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not of the form `https://host` or `https://host:port`.
    #[error("`{text}` is no origin ({reason}); an origin looks like https://api.example.com")]
    Malformed {
        /// What was given, shortened.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A pattern that would cover what nobody can oversee.
    #[error(
        "`{text}` is no pattern for origins ({reason}); a pattern looks like https://api-*.example.com"
    )]
    Pattern {
        /// What was given, shortened.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Scheme, host and port. Two that are equal are the same server to HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host<String>,
    port: u16,
}

impl Origin {
    /// Reads an origin as a manifest or a completed configuration gives it: nothing but scheme, host and port.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let malformed = |reason| OriginError::Malformed {
            text: shortened(text),
            reason,
        };
        // `Url` mends a good deal on the way in (backslashes, tabs, percent signs in hosts); what needs mending is refused here.
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(malformed(
                "it holds spaces, control characters or letters beyond ASCII",
            ));
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| malformed("it has no scheme"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(malformed("its scheme is not https")),
        };
        if rest.contains('@') {
            return Err(malformed("it holds a user name"));
        }
        if rest.contains(['\\', '%', '?', '#', '*']) {
            return Err(malformed("it holds more than a host and a port"));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('/') {
            return Err(malformed("it has a path"));
        }
        let url = Url::parse(&format!("{}://{authority}", scheme.as_str()))
            .map_err(|_| malformed("its host or port can't be read"))?;
        let host = url
            .host()
            .ok_or_else(|| malformed("it has no host"))?
            .to_owned();
        if let Host::Domain(name) = &host
            && name.ends_with('.')
        {
            return Err(malformed("its host ends with a dot"));
        }
        let port = url.port().unwrap_or_else(|| scheme.default_port());
        if port == 0 {
            return Err(malformed("its port is 0"));
        }
        Ok(Origin { scheme, host, port })
    }

    /// Reads what a person typed as the address of a server: with or without scheme (then https), path and slashes ignored.
    pub fn from_typed(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        Origin::parse(&format!("{scheme}://{authority}"))
    }

    /// How it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name in lower case, or an address.
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        }
    }

    /// Whether it can only be this machine: a loopback address, or a name that is reserved for one.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => is_localhost(name),
            Host::Ipv4(ip) => address::is_loopback(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => address::is_loopback(IpAddr::V6(*ip)),
        }
    }

    /// Why a connection may not have this origin, or none: https only, unless it is loopback and that is allowed; no
    /// forbidden address.
    pub fn objection(&self, allow_loopback: bool) -> Option<String> {
        if self.is_loopback() && !allow_loopback {
            return Some("it is this machine; loopback needs --allow-loopback".to_owned());
        }
        if self.scheme == Scheme::Http && !self.is_loopback() {
            return Some("plain http would send the credentials readable; use https".to_owned());
        }
        let reason = address::forbidden(self.address()?, allow_loopback)?;
        Some(format!(
            "its address is {reason}; connectors reach public addresses only"
        ))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

/// Whether a name is reserved for this machine (RFC 6761).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Where the manifest lets a connection go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginRule {
    /// An origin with `*` for one label or part of it.
    Pattern(OriginPattern),
    /// The origin that the user typed in this field of the configuration (JSON Pointer).
    Field(String),
}

impl OriginRule {
    /// A rule from a pattern's text.
    pub fn pattern(text: &str) -> Result<Self, OriginError> {
        OriginPattern::parse(text).map(OriginRule::Pattern)
    }

    /// Whether the rule covers an origin. `typed` gives what the user typed in the field that a JSON Pointer names.
    pub fn covers(&self, origin: &Origin, typed: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            OriginRule::Pattern(pattern) => pattern.covers(origin),
            OriginRule::Field(pointer) => typed(pointer)
                .and_then(|text| Origin::from_typed(&text).ok())
                .is_some_and(|typed| typed == *origin),
        }
    }
}

/// An origin with `*` in its host. A star stands for at least one character within one label, so it never reaches across a
/// dot; the last two labels have none, so a pattern never covers other people's domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern {
    scheme: Scheme,
    labels: Vec<String>,
    port: u16,
}

impl OriginPattern {
    /// Reads a pattern such as `https://api-*.example.com`.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let wrong = |reason| OriginError::Pattern {
            text: shortened(text),
            reason,
        };
        // With a letter for each star it must be an origin like any other.
        let origin = Origin::parse(&text.replace('*', "x"))
            .map_err(|_| wrong("without its stars it is no origin"))?;
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = authority.trim_end_matches('/');
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        if !matches!(origin.host, Host::Domain(_)) {
            return if text.contains('*') {
                Err(wrong("addresses have no stars"))
            } else {
                Ok(OriginPattern {
                    scheme: origin.scheme,
                    labels: vec![origin.host.to_string()],
                    port: origin.port,
                })
            };
        }
        let labels: Vec<String> = host.split('.').map(str::to_ascii_lowercase).collect();
        if labels.iter().rev().take(2).any(|label| label.contains('*')) {
            return Err(wrong(
                "its last two labels hold a star, which could be anyone's domain",
            ));
        }
        Ok(OriginPattern {
            scheme: origin.scheme,
            labels,
            port: origin.port,
        })
    }

    /// Whether it covers an origin: same scheme, same port, label by label.
    pub fn covers(&self, origin: &Origin) -> bool {
        if self.scheme != origin.scheme || self.port != origin.port {
            return false;
        }
        match &origin.host {
            Host::Domain(name) => {
                let labels: Vec<&str> = name.split('.').collect();
                labels.len() == self.labels.len()
                    && self
                        .labels
                        .iter()
                        .zip(labels)
                        .all(|(pattern, label)| label_matches(pattern, label))
            }
            literal => self
                .labels
                .iter()
                .map(String::as_str)
                .eq([literal.to_string().as_str()]),
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.labels.join("."))?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

/// Whether one label matches one label of a pattern, where each `*` stands for one character or more.
fn label_matches(pattern: &str, label: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == label;
    };
    let Some(rest) = label.strip_prefix(before) else {
        return false;
    };
    // Labels have at most 63 characters, so trying each end is cheap.
    rest.char_indices()
        .skip(1)
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| {
            at > 0
                && rest
                    .get(at..)
                    .is_some_and(|tail| label_matches(after, tail))
        })
}

/// At most 100 characters of what somebody gave, control characters shown escaped.
pub(crate) fn shortened(text: &str) -> String {
    text.chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
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
            !OriginRule::Field("/other".to_owned())
                .covers(&origin("https://xdr.corp.example"), typed)
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
}
