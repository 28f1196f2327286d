//! The simulator's TLS: an authority of its own, made at the start, and a certificate for the server, sound or with one thing wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// How the simulator serves TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The names and addresses that the certificate is for. None: the address that is listened on, and `localhost`.
    pub hosts: Vec<String>,
    /// What is wrong with the certificate.
    pub certificate: ServerCertificate,
}

/// The server's certificate: sound, or with one thing wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerCertificate {
    /// Issued by the simulator's own authority.
    #[default]
    Sound,
    /// Issued by another authority than the one that the simulator tells about.
    UnknownAuthority,
    /// For `other.example.com` alone.
    OtherHost,
    /// Valid until 2021.
    Expired,
    /// Valid from 2190 on.
    NotYetValid,
    /// Issued by itself.
    SelfSigned,
}

/// What a simulator shows of itself.
pub struct Identity {
    /// The authority's certificate, PEM.
    pub authority: String,
    /// The server's side of handshakes.
    pub acceptor: TlsAcceptor,
}

/// Makes the authority and the certificate.
pub fn identity(tls: &Tls, address: SocketAddr) -> Result<Identity, rcgen::Error> {
    // Each simulator has another, so each has a name of its own.
    let authority = authority(&format!("Simulated authority {}", address.port()))?;
    let hosts = match tls.certificate {
        ServerCertificate::OtherHost => vec!["other.example.com".to_owned()],
        _ if tls.hosts.is_empty() => vec!["localhost".to_owned(), address.ip().to_string()],
        _ => tls.hosts.clone(),
    };
    let mut params = CertificateParams::new(hosts)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Simulated tenant");
    let (from, to) = match tls.certificate {
        ServerCertificate::Expired => (2020, 2021),
        ServerCertificate::NotYetValid => (2190, 2200),
        _ => (2020, 2200),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate()?;
    let certificate = match tls.certificate {
        ServerCertificate::SelfSigned => params.self_signed(&key)?,
        ServerCertificate::UnknownAuthority => {
            let unknown = self::authority("Unknown authority")?;
            params.signed_by(&key, &unknown)?
        }
        _ => params.signed_by(&key, &authority)?,
    };
    Ok(Identity {
        authority: pem(authority.der()),
        acceptor: acceptor(certificate.der().clone(), &key)?,
    })
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2200, 1, 1);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn acceptor(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> Result<TlsAcceptor, rcgen::Error> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| rcgen::Error::KeyGenerationUnavailable)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn pem(der: &[u8]) -> String {
    let letters = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in letters.as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
