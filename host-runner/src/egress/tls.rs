//! TLS: rustls on ring, with the machine's own authorities, and what was wrong when a certificate is refused.

use std::error::Error;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::EgressError;
use super::verifier::{Explaining, Refused, words};
use crate::domain::Timestamp;

/// The machine's authorities, read once: a thousand connections need not read a hundred files each.
static SYSTEM: OnceLock<Arc<Verifier>> = OnceLock::new();

/// What connections over TLS are checked by. Where no origin needs TLS nothing is read, so that a machine without root
/// certificates can still speak to its own loopback.
pub fn client_config(needed: bool, extra_roots: &[Vec<u8>]) -> Result<ClientConfig, EgressError> {
    // Not the process's default provider: who installs that, and whether, is nobody's promise.
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| EgressError::Tls(error.to_string()))?;
    let mut config = if needed {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Explaining(verifier(
                provider,
                extra_roots,
            )?)))
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: &[Vec<u8>],
) -> Result<Arc<dyn ServerCertVerifier>, EgressError> {
    if extra_roots.is_empty() {
        if let Some(verifier) = SYSTEM.get() {
            return Ok(verifier.clone());
        }
        let verifier = Verifier::new(provider).map_err(|error| {
            EgressError::Tls(format!(
                "this machine's root certificates can't be used ({error}); install them (often a package named \
                 ca-certificates), or name a file with --ca-file"
            ))
        })?;
        return Ok(SYSTEM.get_or_init(|| Arc::new(verifier)).clone());
    }
    let mut store = RootCertStore::empty();
    for (index, der) in extra_roots.iter().enumerate() {
        store
            .add(CertificateDer::from(der.clone()))
            .map_err(|error| {
                EgressError::Tls(format!(
                    "certificate {} of --ca-file is no authority's certificate ({error})",
                    index + 1
                ))
            })?;
    }
    let extra = extra_roots
        .iter()
        .map(|der| CertificateDer::from(der.clone()));
    match Verifier::new_with_extra_roots(extra, provider.clone()) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        // No authorities of the machine's own: then those of the file alone.
        Err(_) => WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
            .map_err(|error| EgressError::Tls(error.to_string())),
    }
}

/// Finds rustls's own error in the causes of another.
pub fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    find_cause(error)
}

/// Finds an error of one type among the causes of another. An `io::Error` hides the error that it carries from `source`.
pub fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let carried = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if let Some(found) = carried.and_then(|carried| find_cause(carried)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What was wrong, in words for the person who can mend it.
pub fn describe(error: &rustls::Error, host: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            match find_cause::<Refused>(&*other.0) {
                Some(refused) => refused.to_string(),
                None => format!("the certificate of {host} was refused ({other})"),
            }
        }
        rustls::Error::InvalidCertificate(certificate) => {
            words(certificate, host, &[], Timestamp::EPOCH)
        }
        rustls::Error::NoCertificatesPresented => format!("{host} showed no certificate"),
        rustls::Error::PeerIncompatible(_) => {
            format!(
                "{host} offers no version or cipher of TLS that is safe ({error}); it must speak TLS 1.2 or later"
            )
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol) => {
            format!("{host} does not speak HTTP/1.1")
        }
        rustls::Error::AlertReceived(alert) => format!("{host} refused the handshake ({alert:?})"),
        other => format!("the handshake with {host} failed ({other})"),
    }
}
