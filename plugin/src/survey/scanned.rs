//! Endpoints that were never scanned for CVEs: held as endpoints, and not among the vulnerabilities. Found by a merge of two inventories,
//! without a request.

use super::spot::{Count, EXAMPLES, Unknown, counted, grouped};
use crate::configure::{DataStream, Settings};
use crate::contract::BlindSpot;
use crate::contract::inventory::Order;
use crate::platform::Platform;

const NAME: &str = "endpoints never scanned for CVEs";

/// Records per call to the host.
const PAGE: u32 = 1_000;

/// Held endpoints without a held record of vulnerabilities: the keys of both are the endpoint's id, and one that was scanned has a record
/// also where nothing was found on it.
pub async fn never_scanned<P: Platform>(platform: &P, settings: &Settings) -> BlindSpot {
    match merge(platform, settings).await {
        Ok(spot) => spot,
        Err(unknown) => unknown.of(NAME),
    }
}

async fn merge<P: Platform>(platform: &P, settings: &Settings) -> Result<BlindSpot, Unknown> {
    for stream in [DataStream::Endpoints, DataStream::Vulnerabilities] {
        if !settings.data_streams.contains(&stream) {
            return Err(Unknown {
                detail: format!("{} are not among dataStreams.", stream.name()),
                remedy: format!(
                    "Add {} to dataStreams and sync.{}",
                    stream.name(),
                    needs(stream)
                ),
            });
        }
    }
    let mut endpoints = Keys::new(platform, DataStream::Endpoints);
    let mut scanned = Keys::new(platform, DataStream::Vulnerabilities);
    let mut endpoint = endpoints.first().await?;
    let mut with_scan = Some(scanned.first().await?);
    let mut number = 0;
    let mut all: u64 = 0;
    let mut examples = Vec::new();
    loop {
        while let Some(key) = &with_scan
            && *key < endpoint
        {
            with_scan = scanned.next().await?;
        }
        all += 1;
        if with_scan.as_ref() != Some(&endpoint) {
            number += 1;
            if examples.len() < EXAMPLES {
                examples.push(endpoint);
            }
        }
        match endpoints.next().await? {
            Some(next) => endpoint = next,
            None => break,
        }
    }
    let count = Count {
        number,
        or_more: false,
    };
    let detail = format!(
        "Of {} endpoints that are held, by the last syncs of endpoints and vulnerabilities.",
        grouped(all)
    );
    Ok(BlindSpot {
        examples,
        ..counted(
            NAME,
            count,
            detail,
            "Enable Host Insights in these endpoints' agent settings profile; a first scan can take days.",
        )
    })
}

fn needs(stream: DataStream) -> &'static str {
    match stream {
        DataStream::Vulnerabilities => " They need the Host Insights add-on and cost XQL quota.",
        _ => "",
    }
}

/// The keys of a data stream's open records, in order.
struct Keys<'a, P> {
    platform: &'a P,
    stream: DataStream,
    page: std::vec::IntoIter<String>,
    last: Option<String>,
    ended: bool,
}

impl<'a, P: Platform> Keys<'a, P> {
    fn new(platform: &'a P, stream: DataStream) -> Self {
        Keys {
            platform,
            stream,
            page: Vec::new().into_iter(),
            last: None,
            ended: false,
        }
    }

    /// The first key; that there is none is the reason why nothing can be said.
    async fn first(&mut self) -> Result<String, Unknown> {
        match self.next().await? {
            Some(key) => Ok(key),
            None => Err(Unknown {
                detail: format!(
                    "Nothing of {} is held: they were not synced yet, or the tenant has none.",
                    self.stream.name()
                ),
                remedy: format!("Sync {} first.{}", self.stream.name(), needs(self.stream)),
            }),
        }
    }

    async fn next(&mut self) -> Result<Option<String>, Unknown> {
        if let Some(key) = self.page.next() {
            return Ok(Some(key));
        }
        if self.ended {
            return Ok(None);
        }
        let page = self
            .platform
            .open(self.stream.name(), Order::Key, self.last.clone(), PAGE)
            .await
            .map_err(|why| Unknown {
                detail: format!("The platform could not list what it holds: {why}."),
                remedy: String::new(),
            })?;
        let last = page.last().map(|held| held.key.clone());
        // A host may give fewer than were asked for, so only an empty page is the end; or one that does not lead on, and would come again and
        // again.
        self.ended = last <= self.last;
        self.last = last;
        let keys: Vec<String> = page.into_iter().map(|held| held.key).collect();
        self.page = keys.into_iter();
        Ok(self.page.next())
    }
}
