//! Verifies servers' certificates as the machine does, and says what was wrong with a refused one: by whom it was issued, for which
//! hosts it is, when it expired.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use super::certificate::Facts;
use super::origin::shortened;
use crate::domain::Timestamp;

/// Leaves the judgement to another verifier and puts a refusal into words.
#[derive(Debug)]
pub(super) struct Explaining(pub(super) Arc<dyn ServerCertVerifier>);

/// A certificate was refused, with the whole sentence about it.
#[derive(Clone, Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        judged.map_err(|error| match &error {
            Error::InvalidCertificate(refusal) => {
                let host = shortened(&server_name.to_str());
                let shown: Vec<Facts> = std::iter::once(end_entity)
                    .chain(intermediates)
                    .filter_map(|der| Facts::read(der))
                    .collect();
                let now = Timestamp::from_ms(now.as_secs().saturating_mul(1000))
                    .unwrap_or(Timestamp::MAX);
                let text = words(refusal, &host, &shown, now);
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Refused(
                    text,
                )))))
            }
            _ => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}

/// What was wrong. `shown` are the certificates that the server showed, its own first; none where they can't be read.
pub(super) fn words(
    error: &CertificateError,
    host: &str,
    shown: &[Facts],
    now: Timestamp,
) -> String {
    let own = shown.first();
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            // Where the server's own is in order, one above it is not.
            let expired = shown.iter().find(|each| each.not_after <= now).or(own);
            let which = match expired {
                Some(expired) if Some(expired) != own => {
                    format!(
                        "the certificate of {}, which vouches for {host},",
                        expired.subject
                    )
                }
                _ => format!("the certificate of {host}"),
            };
            let when =
                expired.map_or_else(String::new, |expired| format!(" at {}", expired.not_after));
            format!(
                "{which} has expired{when}; check this machine's clock, then tell whoever runs the server"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let when = own.map_or_else(String::new, |own| {
                format!(": it begins at {}", own.not_before)
            });
            format!("the certificate of {host} is not valid yet{when}; check this machine's clock")
        }
        CertificateError::UnknownIssuer => unknown_issuer(host, shown),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let hosts = own.map_or_else(|| "other hosts".to_owned(), Facts::hosts_text);
            format!(
                "the certificate is not for {host}, but for {hosts}: another server answers at that name, or the name is wrong"
            )
        }
        CertificateError::BadSignature => {
            let issuer = shown
                .last()
                .map_or_else(String::new, |last| format!(", \"{}\",", last.issuer));
            format!(
                "the certificate of {host} does not bear the signature of its issuer{issuer} as that is known here: where the authority has a new key \
                 since, give its current certificate with --ca-file; else somebody uses its name"
            )
        }
        CertificateError::Revoked => format!("the certificate of {host} was revoked"),
        other => format!(
            "the certificate of {host} was refused ({})",
            shortened(&other.to_string())
        ),
    }
}

fn unknown_issuer(host: &str, shown: &[Facts]) -> String {
    match shown {
        [own] if own.issued_by_itself => format!(
            "the certificate of {host} was issued by itself ({}), so nobody vouches for it; have one issued by an authority, and name \
             that authority with --ca-file if it is your company's own",
            own.subject
        ),
        _ => {
            // The last in the chain names the one that is missing.
            let issuer = shown
                .last()
                .map_or_else(String::new, |last| format!(" (\"{}\")", last.issuer));
            format!(
                "the certificate of {host} was issued by an authority that is unknown here{issuer}; where that is your company's own, or a proxy of \
                 your company re-signs traffic, name the authority's certificate with --ca-file"
            )
        }
    }
}
