//! Faults on the way: bodies that are cut, slow or wrongly compressed, connections that are reset.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use futures_util::stream;

use super::door::Cutter;
use super::fault::Fault;
use crate::reply;

/// In how many pieces a slow body comes, and the pause between them.
const PIECES: usize = 5;
const PAUSE: Duration = Duration::from_millis(2);

/// Whether a fault changes how an answer is delivered.
pub fn is_on_the_way(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Reset
            | Fault::ResetBody
            | Fault::CutBody
            | Fault::CutJson
            | Fault::SlowBody
            | Fault::NotGzip
            | Fault::CutGzip
    )
}

/// A body as it is delivered.
pub struct Parcel {
    pub body: Body,
    /// What `Content-Length` says where it does not follow from the body. `None` for a stream, which is sent in chunks.
    pub length: Option<usize>,
    /// Whether `Content-Encoding` says gzip.
    pub encoded: bool,
    pub detail: String,
}

/// All bytes of an answer, and whether it is a stream.
pub async fn collect(body: reply::Body) -> (Vec<u8>, bool) {
    match body {
        reply::Body::Bytes(bytes) => (bytes, false),
        reply::Body::Stream(mut chunks) => {
            let mut bytes = Vec::new();
            while let Some(Ok(chunk)) = chunks.next().await {
                bytes.extend_from_slice(&chunk);
            }
            (bytes, true)
        }
    }
}

/// The first half of the bytes that a client gets to see once it has unpacked the answer.
pub fn first_half(bytes: &[u8], encoded: bool) -> Vec<u8> {
    let plain = if encoded { unpacked(bytes) } else { None };
    half(plain.as_deref().unwrap_or(bytes)).to_vec()
}

/// Delivers bytes (which are gzip when `encoded`) in the way of a fault.
pub fn deliver(
    fault: Fault,
    cutter: &Cutter,
    bytes: Vec<u8>,
    streamed: bool,
    encoded: bool,
) -> Parcel {
    let parcel = |body: Body, length: Option<usize>, detail: String| Parcel {
        body,
        length: length.filter(|_| !streamed),
        encoded,
        detail,
    };
    let whole = bytes.len();
    match fault {
        Fault::Reset => {
            cutter.reset();
            parcel(Body::empty(), None, String::new())
        }
        Fault::ResetBody | Fault::CutBody => {
            let kept = half(&bytes).to_vec();
            let detail = format!("{} of {whole} bytes", kept.len());
            let reset = (fault == Fault::ResetBody).then(|| cutter.clone());
            // Of a body without bytes at least one is announced, so that there is something to miss.
            parcel(breaking_off(kept.into(), reset), Some(whole.max(1)), detail)
        }
        Fault::SlowBody => {
            let detail = format!("{PIECES} pieces");
            parcel(slow(bytes.into()), Some(whole), detail)
        }
        Fault::NotGzip => Parcel {
            encoded: true,
            ..parcel(
                Body::from(if encoded {
                    unpacked(&bytes).unwrap_or(bytes)
                } else {
                    bytes
                }),
                None,
                String::new(),
            )
        },
        Fault::CutGzip => {
            let packed = match encoded {
                true => bytes,
                false => crate::server::gzip(&bytes).unwrap_or(bytes),
            };
            let kept = half(&packed).to_vec();
            let detail = format!("{} of {} bytes", kept.len(), packed.len());
            Parcel {
                encoded: true,
                ..parcel(Body::from(kept), None, detail)
            }
        }
        _ => parcel(Body::from(bytes), None, String::new()),
    }
}

fn half(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() / 2).unwrap_or_default()
}

/// What gzip holds, without its outermost layer.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Some bytes, then an error, which makes the server close the connection; with a cutter, reset it.
fn breaking_off(bytes: Bytes, reset: Option<Cutter>) -> Body {
    Body::from_stream(stream::unfold(Some(bytes), move |left| {
        let reset = reset.clone();
        async move {
            match left {
                Some(bytes) if !bytes.is_empty() => Some((Ok(bytes), Some(Bytes::new()))),
                Some(_) => {
                    // While a body waits, what came of it is sent.
                    tokio::task::yield_now().await;
                    if let Some(cutter) = &reset {
                        cutter.reset();
                    }
                    Some((Err(io::Error::from(io::ErrorKind::BrokenPipe)), None))
                }
                None => None,
            }
        }
    }))
}

fn slow(bytes: Bytes) -> Body {
    let size = bytes.len().div_ceil(PIECES).max(1);
    Body::from_stream(stream::unfold(
        (bytes, false),
        move |(mut left, begun)| async move {
            if left.is_empty() {
                return None;
            }
            if begun {
                tokio::time::sleep(PAUSE).await;
            }
            let piece = left.split_to(size.min(left.len()));
            Some((Ok::<_, io::Error>(piece), (left, true)))
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::gzip;

    async fn delivered(fault: Fault, bytes: &[u8], encoded: bool) -> (Parcel, Vec<u8>, bool) {
        let cutter = Cutter::default();
        let mut parcel = deliver(fault, &cutter, bytes.to_vec(), false, encoded);
        let mut chunks = std::mem::take(&mut parcel.body).into_data_stream();
        let (mut seen, mut whole) = (Vec::new(), true);
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => seen.extend_from_slice(&chunk),
                Err(_) => whole = false,
            }
        }
        (parcel, seen, whole)
    }

    #[tokio::test]
    async fn a_body_that_is_cut_or_reset_announces_more_than_it_gives() {
        for fault in [Fault::CutBody, Fault::ResetBody] {
            let (parcel, seen, whole) = delivered(fault, b"0123456789", false).await;
            assert_eq!(
                (parcel.length, seen.as_slice(), whole),
                (Some(10), &b"01234"[..], false)
            );
            let (parcel, seen, whole) = delivered(fault, b"", false).await;
            assert_eq!((parcel.length, seen.len(), whole), (Some(1), 0, false));
        }
    }

    #[tokio::test]
    async fn a_slow_body_is_whole() {
        for bytes in [&b""[..], b"1", b"0123456789ab"] {
            let (_, seen, whole) = delivered(Fault::SlowBody, bytes, false).await;
            assert!(whole && seen == bytes);
        }
    }

    #[tokio::test]
    async fn gzip_is_none_or_half_of_one() {
        let plain = b"plain text".repeat(50);
        let packed = gzip(&plain).unwrap();
        for (bytes, encoded) in [(&plain, false), (&packed, true)] {
            let (parcel, seen, _) = delivered(Fault::NotGzip, bytes, encoded).await;
            assert!(parcel.encoded && seen == plain);
            let (parcel, seen, _) = delivered(Fault::CutGzip, bytes, encoded).await;
            assert!(parcel.encoded && seen.starts_with(&[0x1f, 0x8b]));
            assert!(unpacked(&seen).is_none(), "half of a gzip was unpacked");
        }
    }

    #[test]
    fn half_of_an_answer_is_half_of_what_is_packed_in_it() {
        assert_eq!(first_half(b"0123", false), b"01");
        assert_eq!(first_half(&gzip(b"0123").unwrap(), true), b"01");
    }
}
