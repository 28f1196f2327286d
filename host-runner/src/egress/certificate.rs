//! What a certificate says of itself, for the words that are told about it. Nothing is trusted because of what is read here: that is the
//! verifier's part.

use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};
use x509_cert::name::Name;

use super::origin::shortened;
use crate::domain::Timestamp;

/// More names than a person reads.
const NAMES: usize = 10;

/// commonName and organizationName (X.520): the names by which people know a subject, the better first.
const KNOWN_BY: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("2.5.4.3"),
    ObjectIdentifier::new_unwrap("2.5.4.10"),
];

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whose it is.
    pub subject: String,
    /// Who issued it, as it says.
    pub issuer: String,
    /// Whether it names itself as its issuer.
    pub issued_by_itself: bool,
    /// The hosts that it is for: names and addresses.
    pub hosts: Vec<String>,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// Whether it may issue others (basicConstraints CA:TRUE).
    pub authority: bool,
}

impl Facts {
    /// Reads a certificate (DER), or gives none where it is no certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
        let authority = certificate.get::<BasicConstraints>().ok().flatten();
        Some(Facts {
            subject: name(&certificate.subject),
            issuer: name(&certificate.issuer),
            issued_by_itself: certificate.subject.to_der().ok() == certificate.issuer.to_der().ok(),
            hosts: hosts(certificate.get::<SubjectAltName>().ok().flatten()),
            not_before: moment(certificate.validity.not_before.to_unix_duration()),
            not_after: moment(certificate.validity.not_after.to_unix_duration()),
            authority: authority.is_some_and(|(_, constraints)| constraints.ca),
        })
    }

    /// The hosts that it is for, as a person reads them.
    pub fn hosts_text(&self) -> String {
        match self.hosts.as_slice() {
            [] => "no host at all".to_owned(),
            hosts if hosts.len() > NAMES => format!(
                "{} and {} more",
                hosts
                    .iter()
                    .take(NAMES)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
                hosts.len() - NAMES
            ),
            hosts => hosts.join(", "),
        }
    }
}

/// SHA-256 of a certificate, lower-case hexadecimal: what other tools show as its fingerprint, without colons.
pub fn fingerprint(der: &[u8]) -> String {
    Sha256::digest(der)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The name by which people know it: the common name, else the organisation, else all of it.
fn name(name: &Name) -> String {
    let parts = || name.0.iter().flat_map(|part| part.0.iter());
    let known = KNOWN_BY.iter().find_map(|oid| {
        let part = parts().find(|part| part.oid == *oid)?;
        // Of several kinds of text; what is not UTF-8 in any of them is shown in full below, as hexadecimal.
        std::str::from_utf8(part.value.value()).ok()
    });
    let text = known.map_or_else(|| name.to_string(), str::to_owned);
    match shortened(&text) {
        empty if empty.is_empty() => "a nameless one".to_owned(),
        text => text,
    }
}

fn hosts(names: Option<(bool, SubjectAltName)>) -> Vec<String> {
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(shortened(name.as_str())),
            GeneralName::IpAddress(bytes) => {
                address(bytes.as_bytes()).map(|address| address.to_string())
            }
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn moment(since_epoch: Duration) -> Timestamp {
    u64::try_from(since_epoch.as_millis())
        .ok()
        .and_then(|ms| Timestamp::from_ms(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 2);
        params.not_after = date_time_ymd(2030, 3, 4);
        change(&mut params);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        certificate.der().to_vec()
    }

    #[test]
    fn a_certificate_is_told_by_name_hosts_and_time() {
        let der = made(&["api.example.com", "10.0.0.1", "::1"], |params| {
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, "Example\u{7} CA");
        });
        let facts = Facts::read(&der).unwrap();
        assert_eq!(facts.subject, "Example\\u{7} CA");
        assert_eq!(facts.issuer, facts.subject);
        assert!(facts.issued_by_itself && !facts.authority);
        assert_eq!(facts.hosts_text(), "api.example.com, 10.0.0.1, ::1");
        assert_eq!(facts.not_before.to_rfc3339(), "2020-01-02T00:00:00.000Z");
        assert_eq!(facts.not_after.to_rfc3339(), "2030-03-04T00:00:00.000Z");
        assert_eq!(fingerprint(&der).len(), 64);
    }

    #[test]
    fn a_certificate_of_a_thousand_hosts_is_told_in_a_line() {
        let names: Vec<String> = (0..1000).map(|n| format!("h{n}.example.com")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = Facts::read(&made(&names, |_| {})).unwrap().hosts_text();
        assert!(text.ends_with("and 990 more") && text.len() < 300, "{text}");
        let none = Facts::read(&made(&[], |_| {})).unwrap();
        assert_eq!(none.hosts_text(), "no host at all");
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        let mut longer = made(&["a.example.com"], |_| {});
        longer.push(0);
        for bytes in [&b""[..], b"hello", &[0x30, 0x84, 0xff], &longer] {
            assert_eq!(Facts::read(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Facts::read(&bytes);
        }

        #[test]
        fn no_change_of_a_certificate_makes_the_reader_panic(at in 0usize..600, with in any::<u8>(), end in 0usize..600) {
            let mut der = SAMPLE.with(Clone::clone);
            if let Some(byte) = der.get_mut(at) {
                *byte = with;
            }
            let _ = Facts::read(&der);
            der.truncate(end);
            let _ = Facts::read(&der);
        }
    }

    thread_local! {
        static SAMPLE: Vec<u8> = made(&["api.example.com", "10.0.0.1"], |params| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        });
    }
}
