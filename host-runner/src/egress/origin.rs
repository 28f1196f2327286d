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
    /// forbidden address, and no name of a private network.
    pub fn objection(&self, allow_loopback: bool) -> Option<String> {
        if self.is_loopback() && !allow_loopback {
            return Some("it is this machine; loopback needs --allow-loopback".to_owned());
        }
        if self.scheme == Scheme::Http && !self.is_loopback() {
            return Some("plain http would send the credentials readable; use https".to_owned());
        }
        if let Host::Domain(name) = &self.host
            && !is_localhost(name)
            && let Some(reason) = address::forbidden_name(name)
        {
            return Some(format!(
                "its host is {reason}; connectors reach public hosts only"
            ));
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
        let fixed = labels.iter().rev().take_while(|label| !label.contains('*'));
        if fixed.count() < own_labels(&labels).min(labels.len()) {
            return Err(wrong(
                "a star stands where a domain begins, so it could be anyone's domain",
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

/// How many labels at the end make a domain that one owner holds: two, or three below the likes of `co.uk`. There is no list of all suffixes
/// under which domains are given away; `inspect` shows the patterns, and whoever lets a connector in judges them.
fn own_labels(labels: &[String]) -> usize {
    const GENERIC: [&str; 16] = [
        "ac", "co", "com", "edu", "gob", "gov", "go", "ltd", "mil", "ne", "net", "nom", "or",
        "org", "plc", "sch",
    ];
    let mut last = labels.iter().rev().map(String::as_str);
    let country = last.next().is_some_and(|label| label.len() == 2);
    let generic = last.next().is_some_and(|label| GENERIC.contains(&label));
    if country && generic { 3 } else { 2 }
}

/// Whether one label matches one label of a pattern, where each `*` stands for one character or more. Both come from the connector, so
/// the work grows with their lengths and not with the ways in which stars can be filled.
fn label_matches(pattern: &str, label: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = label.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    // The earliest place for each piece leaves the most room for the others. A star before each takes one character at least.
    for piece in pieces {
        let Some(at) = rest
            .get(1..)
            .and_then(|behind| behind.find(piece))
            .map(|at| at + 1 + piece.len())
        else {
            return false;
        };
        rest = rest.get(at..).unwrap_or_default();
    }
    rest.len() > last.len() && rest.ends_with(last)
}

/// At most 100 characters of what somebody gave, control characters shown escaped.
pub(crate) fn shortened(text: &str) -> String {
    text.chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests;
