//! Authorities that an administrator trusts for one connection beside the machine's own: read from a PEM file, kept as the
//! certificates themselves.

use rustls::pki_types::pem::{PemObject, SectionKind};
use secrecy::zeroize::Zeroizing;

use super::certificate::{Facts, fingerprint};
use super::request::Encoding;
use super::signing::encode;
use crate::domain::Timestamp;

/// The largest file that is read: every authority of an operating system is a quarter of it.
pub const LARGEST_FILE: u64 = 1 << 20;

/// An authority's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    der: Vec<u8>,
    facts: Facts,
}

/// Why a file gives no authorities. Never repeats what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// There is no PEM in it.
    #[error(
        "it isn't PEM, which is text with lines such as -----BEGIN CERTIFICATE-----; where it is a certificate in the binary form DER, convert it \
         with `openssl x509 -inform der -in FILE -out FILE.pem`"
    )]
    NotPem,
    /// It holds PEM that can't be read.
    #[error("its PEM can't be read ({0}); export the certificate again")]
    Broken(&'static str),
    /// It holds a private key.
    #[error(
        "it holds a private key, which host-runner has no use for and must not see: give a file that holds nothing but the authority's \
         certificate, and consider the key as exposed if the file was passed around"
    )]
    PrivateKey,
    /// It holds other things, but no certificate.
    #[error("it is PEM, but holds no certificate (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// What stands there as a certificate is none.
    #[error("certificate {place} of it can't be read as an X.509 certificate")]
    Unreadable {
        /// Its place in the file, from 1.
        place: usize,
    },
    /// It is the certificate of a server.
    #[error(
        "certificate {place} of it ({subject}) is not an authority's: it says that it may issue no others; give the certificate of the authority \
         that issued it"
    )]
    NoAuthority {
        /// Its place in the file, from 1.
        place: usize,
        /// Whose it is.
        subject: String,
    },
    /// It is out of date.
    #[error(
        "certificate {place} of it ({subject}) expired at {at}; ask whoever runs the authority for the current one"
    )]
    Expired {
        /// Its place in the file, from 1.
        place: usize,
        /// Whose it is.
        subject: String,
        /// When.
        at: Timestamp,
    },
    /// It is of the future.
    #[error(
        "certificate {place} of it ({subject}) is not valid before {at}; check this machine's clock"
    )]
    NotValidYet {
        /// Its place in the file, from 1.
        place: usize,
        /// Whose it is.
        subject: String,
        /// From when on.
        at: Timestamp,
    },
}

impl Authority {
    /// Reads a file's certificates, each once, and refuses the file where one of them could not serve as an authority now.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read_file(bytes: &[u8], now: Timestamp) -> Result<Vec<Self>, AuthorityError> {
        let mut authorities = Vec::new();
        for (index, der) in certificates(bytes)?.into_iter().enumerate() {
            let place = index + 1;
            let facts = Facts::read(&der).ok_or(AuthorityError::Unreadable { place })?;
            let subject = facts.subject.clone();
            if !facts.authority {
                return Err(AuthorityError::NoAuthority { place, subject });
            }
            if facts.not_after <= now {
                let at = facts.not_after;
                return Err(AuthorityError::Expired { place, subject, at });
            }
            if facts.not_before > now {
                let at = facts.not_before;
                return Err(AuthorityError::NotValidYet { place, subject, at });
            }
            let authority = Authority { der, facts };
            if !authorities.contains(&authority) {
                authorities.push(authority);
            }
        }
        Ok(authorities)
    }

    /// Reads one back from the text that [`Authority::to_pem`] gave, whatever the time; none where it is damaged.
    pub fn from_pem(text: &str) -> Option<Self> {
        let der = certificates(text.as_bytes()).ok()?.into_iter().next()?;
        let facts = Facts::read(&der)?;
        Some(Authority { der, facts })
    }

    /// As PEM, to be kept.
    pub fn to_pem(&self) -> String {
        let mut letters = Zeroizing::default();
        encode(&self.der, Encoding::Base64, &mut letters);
        let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in letters.chunks(64) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
        text
    }

    /// The certificate itself.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whose it is.
    pub fn subject(&self) -> &str {
        &self.facts.subject
    }

    /// Its SHA-256, lower-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.der)
    }

    /// Until when it is valid. Nothing that it issued is trusted afterwards.
    pub fn not_after(&self) -> Timestamp {
        self.facts.not_after
    }

    /// Whether it is out of date.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.facts.not_after <= now
    }
}

/// The certificates of a PEM file, in order; at least one.
fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, AuthorityError> {
    // Before anything is parsed, and for keys that the parser does not know as well (encrypted ones).
    if bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .any(is_key_line)
    {
        return Err(AuthorityError::PrivateKey);
    }
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        match section {
            Ok((SectionKind::Certificate, der)) => found.push(der),
            Ok(_) => {}
            Err(error) => return Err(AuthorityError::Broken(reason(&error))),
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
    Err(match is_pem {
        true => AuthorityError::NoCertificate,
        false => AuthorityError::NotPem,
    })
}

fn is_key_line(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"-----BEGIN ") && line.windows(11).any(|window| window == b"PRIVATE KEY")
}

/// The parser's own words repeat the file's text.
fn reason(error: &rustls::pki_types::pem::Error) -> &'static str {
    use rustls::pki_types::pem::Error;
    match error {
        Error::MissingSectionEnd { .. } => "its last part has no end",
        Error::IllegalSectionStart { .. } => "a line with BEGIN is not as it must be",
        Error::Base64Decode(_) => "it holds letters that are not Base64",
        _ => "it is damaged",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_rfc3339("2026-01-01T00:00:00Z").unwrap()
    }

    fn certificate(name: &str, authority: bool, years: (i32, i32)) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        if authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        made.der().to_vec()
    }

    fn pem(name: &str, authority: bool, years: (i32, i32)) -> String {
        let der = certificate(name, authority, years);
        let facts = Facts::read(&der).unwrap();
        Authority { der, facts }.to_pem()
    }

    fn refused(bytes: impl AsRef<[u8]>) -> String {
        match Authority::read_file(bytes.as_ref(), now()) {
            Err(error) => error.to_string(),
            Ok(read) => panic!("{read:?}"),
        }
    }

    #[test]
    fn a_file_of_several_authorities_is_read_each_once_and_reads_back() {
        let (one, two) = (
            pem("One", true, (2020, 2030)),
            pem("Two", true, (2020, 2031)),
        );
        let file = format!("# a bundle\r\n{one}\r\nsubject: Two\n{two}{one}");
        let read = Authority::read_file(file.as_bytes(), now()).unwrap();
        let names: Vec<&str> = read.iter().map(Authority::subject).collect();
        assert_eq!(names, ["One", "Two"]);
        assert_eq!(read[0].not_after().to_rfc3339(), "2030-01-01T00:00:00.000Z");
        for authority in read {
            assert_eq!(Authority::from_pem(&authority.to_pem()), Some(authority));
        }
    }

    #[test]
    fn what_is_not_pem_is_refused_with_how_to_convert_it() {
        let der = certificate("Binary", true, (2020, 2030));
        for bytes in [&b""[..], b"hello", &der, b"\xff\xfe-----"] {
            let told = refused(bytes);
            assert!(
                told.contains("isn't PEM") && told.contains("openssl"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_private_key_is_refused_wherever_it_stands_and_not_repeated() {
        let certificate = pem("One", true, (2020, 2030));
        for kind in [
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
        ] {
            let key = format!("-----BEGIN {kind}-----\ndGVzdC1rZXk=\n-----END {kind}-----\n");
            for file in [
                key.clone(),
                format!("{certificate}{key}"),
                format!("{key}{certificate}"),
                format!("{certificate}\r  {key}"),
            ] {
                let told = refused(&file);
                assert!(told.contains("private key"), "{told}");
                assert!(!told.contains("dGVzdC1rZXk"), "{told}");
            }
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let told = refused("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n");
        assert!(told.contains("holds no certificate"), "{told}");
        let told = refused("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
        assert!(
            told.contains("certificate 1") && told.contains("X.509"),
            "{told}"
        );
        for broken in [
            "-----BEGIN CERTIFICATE-----\nMAA=\n",
            "-----BEGIN CERTIFICATE\nMAA=\n",
            "-----BEGIN CERTIFICATE-----\n?*test*?\n-----END CERTIFICATE-----\n",
        ] {
            let told = refused(broken);
            assert!(
                told.contains("can't be read") && !told.contains("test"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_servers_certificate_is_no_authoritys() {
        let file = format!(
            "{}{}",
            pem("One", true, (2020, 2030)),
            pem("Leaf", false, (2020, 2030))
        );
        let told = refused(file);
        assert!(
            told.contains("certificate 2")
                && told.contains("Leaf")
                && told.contains("not an authority's"),
            "{told}"
        );
    }

    #[test]
    fn an_authority_that_has_expired_or_is_of_the_future_is_refused_with_when() {
        let told = refused(pem("Old", true, (2010, 2020)));
        assert!(
            told.contains("Old") && told.contains("expired at 2020-01-01"),
            "{told}"
        );
        let told = refused(pem("New", true, (2100, 2120)));
        assert!(told.contains("not valid before 2100-01-01"), "{told}");
        let kept = Authority::from_pem(&pem("Old", true, (2010, 2020))).unwrap();
        assert!(
            kept.has_expired(now()),
            "what is kept is read whatever the time"
        );
    }

    proptest! {
        #[test]
        fn no_file_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(-----BEGIN [A-Z ]{0,12}-----\n)?[A-Za-z0-9+/=\n-]{0,80}") {
            let _ = Authority::read_file(&bytes, now());
            let _ = Authority::read_file(text.as_bytes(), now());
        }
    }
}
