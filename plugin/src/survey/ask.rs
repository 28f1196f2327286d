//! Asks the API, and does not ask again what it refuses for good.

use super::spot::Unknown;
use crate::api::{Client, Fault, FaultKind, Filter, PAGE_RECORDS, Page, PageRequest};
use crate::describe::Call;
use crate::platform::Platform;

/// The client, and what is known to lead nowhere.
pub struct Asker<P> {
    client: Client<P>,
    /// Calls that are refused whatever is asked; none stands for all of them.
    refused: Vec<(Option<Call>, Unknown)>,
}

impl<P: Platform> Asker<P> {
    pub fn new(client: Client<P>) -> Asker<P> {
        Asker {
            client,
            refused: Vec::new(),
        }
    }

    /// The first page of 100 endpoints, or the page at an offset.
    pub async fn endpoints(
        &mut self,
        filters: Vec<Filter>,
        sort: &'static str,
        from: u32,
    ) -> Result<Page, Unknown> {
        self.refusal(Call::GetEndpoint)?;
        let request = page(filters, Some(sort), from);
        let answer = self.client.endpoints(&request).await;
        self.learn(answer.map(|reply| reply.value))
    }

    /// The newest 100 alerts, of one of these sources where any is named.
    pub async fn newest_alerts(&mut self, sources: &[String]) -> Result<Page, Unknown> {
        self.refusal(Call::GetAlertsMultiEvents)?;
        let mut filters = Vec::new();
        if !sources.is_empty() {
            filters.push(Filter::any_of("alert_source", sources.iter().cloned()));
        }
        let request = page(filters, Some("creation_time"), 0);
        let answer = self.client.newest_alerts(&request).await;
        self.learn(answer.map(|reply| reply.value))
    }

    /// Whether there is no use in this call any more.
    pub fn gave_up(&self, call: Call) -> bool {
        self.refusal(call).is_err()
    }

    fn refusal(&self, call: Call) -> Result<(), Unknown> {
        match self
            .refused
            .iter()
            .find(|(refused, _)| refused.is_none_or(|refused| refused == call))
        {
            Some((_, why)) => Err(why.clone()),
            None => Ok(()),
        }
    }

    /// Remembers a refusal that holds for the call, or for all of them.
    fn learn(&mut self, answer: Result<Page, Fault>) -> Result<Page, Unknown> {
        let fault = match answer {
            Ok(page) => return Ok(page),
            Err(fault) => fault,
        };
        let why = Unknown::from(&fault);
        match fault.kind {
            FaultKind::Forbidden | FaultKind::Unlicensed | FaultKind::UnknownCall => {
                self.refused.push((Some(fault.call), why.clone()));
            }
            FaultKind::Unauthorized
            | FaultKind::Tls
            | FaultKind::HostDenied(_)
            | FaultKind::HostLimit(_) => self.refused.push((None, why.clone())),
            // The host tried several times already: where nobody answers, nobody would answer the next request.
            FaultKind::Broken if fault.status.is_none() => self.refused.push((None, why.clone())),
            _ => {}
        }
        Err(why)
    }
}

fn page(filters: Vec<Filter>, sort: Option<&'static str>, from: u32) -> PageRequest {
    PageRequest {
        filters,
        sort,
        from,
        to: from.saturating_add(PAGE_RECORDS),
    }
}
