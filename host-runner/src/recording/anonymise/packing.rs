//! Answers that are gzip in themselves (not by Content-Encoding, which is undone before): unpacked to be read, and packed again as they were.

use super::error::AnonymiseError;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// The first bytes of gzip.
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// How many layers are undone.
const LAYERS: usize = 3;
/// How many bytes stand behind the data.
const TRAILER: usize = 8;

/// How an answer was packed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packing {
    /// For each layer, the outermost first, whether it stops short.
    layers: Vec<bool>,
}

/// What is in an answer, and how it was packed. `largest`: the most bytes that are unpacked.
pub fn unpacked(mut bytes: Vec<u8>, largest: usize) -> Result<(Vec<u8>, Packing), AnonymiseError> {
    let mut packing = Packing::default();
    while packing.layers.len() < LAYERS && bytes.starts_with(&MAGIC) {
        let mut inner = Vec::new();
        let mut decoder = MultiGzDecoder::new(bytes.as_slice()).take(largest as u64 + 1);
        let cut = decoder.read_to_end(&mut inner).is_err();
        if inner.len() > largest {
            return Err(AnonymiseError::TooLarge(largest >> 20));
        }
        packing.layers.push(cut);
        bytes = inner;
    }
    Ok((bytes, packing))
}

/// The same, packed as it was: what stopped short stops short.
pub fn packed(mut bytes: Vec<u8>, packing: &Packing) -> Result<Vec<u8>, AnonymiseError> {
    for cut in packing.layers.iter().rev() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let whole = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        bytes = whole.map_err(|_| AnonymiseError::Unfit("a packed answer"))?;
        if *cut {
            bytes.truncate(bytes.len().saturating_sub(TRAILER));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_packed_again_and_what_was_cut_is_cut() {
        let plain = b"{\"a\": 1}\n".repeat(50);
        let twice = Packing {
            layers: vec![false, false],
        };
        let cut = Packing { layers: vec![true] };
        for packing in [Packing::default(), twice, cut] {
            let bytes = packed(plain.clone(), &packing).unwrap();
            assert_eq!(unpacked(bytes, 1 << 20).unwrap(), (plain.clone(), packing));
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let packing = Packing {
            layers: vec![false],
        };
        let bomb = packed(vec![0; 1 << 20], &packing).unwrap();
        assert!(unpacked(bomb, 1 << 10).is_err());
    }
}
