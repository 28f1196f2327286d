//! A publisher for tests: a key that was made a moment ago, and signatures as minisign writes them. Included by path in the tests of the binary
//! too.

use blake2b_simd::blake2b;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// Somebody who signs components.
pub struct Publisher {
    id: [u8; 8],
    pair: Ed25519KeyPair,
}

impl Publisher {
    /// With a key of their own.
    pub fn new() -> Self {
        let random = ring::rand::SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let id: ring::rand::Random<[u8; 8]> = ring::rand::generate(&random).unwrap();
        Self {
            id: id.expose(),
            pair: Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap(),
        }
    }

    /// The same, under the id of another key: ids are not protected.
    #[allow(dead_code, reason = "the tests of the binary forge nothing")]
    pub fn with_id_of(mut self, other: &Self) -> Self {
        self.id = other.id;
        self
    }

    /// The public key on a line.
    pub fn key(&self) -> String {
        base64(&[b"Ed", &self.id[..], self.pair.public_key().as_ref()].concat())
    }

    /// The public key's file.
    pub fn key_file(&self) -> String {
        format!("untrusted comment: a publisher\n{}\n", self.key())
    }

    /// Signs the hash of some bytes, as minisign does.
    pub fn sign(&self, bytes: &[u8]) -> String {
        self.signature(b"ED", blake2b(bytes).as_bytes())
    }

    /// Signs the bytes themselves, as minisign did before version 0.10.
    pub fn sign_in_the_old_form(&self, bytes: &[u8]) -> String {
        self.signature(b"Ed", bytes)
    }

    fn signature(&self, form: &[u8], message: &[u8]) -> String {
        let comment = "version 1";
        let signature = self.pair.sign(message);
        let whole = self
            .pair
            .sign(&[signature.as_ref(), comment.as_bytes()].concat());
        format!(
            "untrusted comment: signature\n{}\ntrusted comment: {comment}\n{}\n",
            base64(&[form, &self.id[..], signature.as_ref()].concat()),
            base64(whole.as_ref())
        )
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for digit in 0..4 {
            text.push(if digit <= three.len() {
                char::from(DIGITS[bits >> (18 - 6 * digit) & 63])
            } else {
                '='
            });
        }
    }
    text
}
