//! The faults that chaos can bring into an answer: their names, what each does, and to which calls it can happen.

use std::fmt;

use crate::call::Call;

/// What a fault has to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// What happens on the way: limits, gateways, connections, compression.
    Network,
    /// An answer with status 200 that is none.
    Answer,
    /// Pages and totals that are wrong.
    Pages,
    /// Keys, permissions, clocks.
    Access,
    /// Queries in XQL.
    Xql,
}

/// The calls that a fault can happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Any,
    /// Calls that answer `{"reply": …}`.
    Reply,
    /// Calls that answer a list of records.
    List,
    /// Calls that answer pages.
    Page,
    XqlStart,
    XqlResults,
    XqlStream,
    /// Results or stream.
    XqlQuery,
}

macro_rules! faults {
    ($( #[doc = $about:literal] $variant:ident $name:literal $family:ident $scope:ident; )*) => {
        /// One way in which an answer goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $( #[doc = $about] $variant, )*
        }

        impl Fault {
            /// All faults.
            pub const ALL: &[Fault] = &[ $( Fault::$variant, )* ];

            /// The stable name, as the command line takes it.
            pub fn name(self) -> &'static str {
                match self { $( Fault::$variant => $name, )* }
            }

            /// What it does, in a sentence.
            pub fn about(self) -> &'static str {
                match self { $( Fault::$variant => $about.trim_ascii(), )* }
            }

            /// What it has to do with.
            pub fn family(self) -> Family {
                match self { $( Fault::$variant => Family::$family, )* }
            }

            fn scope(self) -> Scope {
                match self { $( Fault::$variant => Scope::$scope, )* }
            }
        }
    };
}

faults! {
    /// 429 without Retry-After
    RateLimited "rate-limited" Network Any;
    /// 429 with Retry-After in seconds
    RateLimitedSeconds "rate-limited-seconds" Network Any;
    /// 429 with Retry-After as a date
    RateLimitedDate "rate-limited-date" Network Any;
    /// 500 in the plain text of waitress
    ErrorText "error-text" Network Any;
    /// 500 in the API's envelope, with a reason in err_extra
    ErrorJson "error-json" Network Any;
    /// 500 in the API's envelope, with an object in err_extra
    ErrorObject "error-object" Network Any;
    /// 500 in the API's envelope, with a list of complaints in err_extra
    ErrorList "error-list" Network Any;
    /// 500 in HTML
    ErrorHtml "error-html" Network Any;
    /// 500 without a body
    ErrorEmpty "error-empty" Network Any;
    /// 502 in HTML
    BadGateway "bad-gateway" Network Any;
    /// 503 in HTML
    Unavailable "unavailable" Network Any;
    /// 503 in HTML with Retry-After in seconds
    UnavailableSeconds "unavailable-seconds" Network Any;
    /// 504 in HTML
    GatewayTimeout "gateway-timeout" Network Any;
    /// the connection is reset before a byte of the answer
    Reset "reset" Network Any;
    /// the connection is reset in the middle of the body
    ResetBody "reset-body" Network Any;
    /// the connection is closed before the body is as long as its head said
    CutBody "cut-body" Network Any;
    /// the body is half of itself, and its head says nothing of it
    CutJson "cut-json" Network Any;
    /// the body comes in pieces with pauses
    SlowBody "slow-body" Network Any;
    /// Content-Encoding says gzip and the body is none
    NotGzip "not-gzip" Network Any;
    /// the body is the first half of its gzip
    CutGzip "cut-gzip" Network Any;

    /// 200 with err_code 500 in the reply
    ErrorIn200 "error-in-200" Answer Reply;
    /// 200 with a reply that is null
    ReplyNull "reply-null" Answer Reply;
    /// 200 with a list around the reply
    ReplyList "reply-list" Answer Reply;
    /// 200 with an object that has no reply
    ReplyMissing "reply-missing" Answer Reply;
    /// 200 with a page of HTML
    HtmlPage "html-200" Answer Any;
    /// 200 without a body
    EmptyBody "empty-body" Answer Any;

    /// an empty list, and totals that agree with it
    EmptyList "empty-list" Pages List;
    /// an empty list beside the true total
    EmptyPage "empty-page" Pages Page;
    /// the last rows of a page are missing
    ShortPage "short-page" Pages Page;
    /// the rows of the page before once more
    RepeatedPage "repeated-page" Pages Page;
    /// a page that begins some rows too late or too early
    ShiftedPage "shifted-page" Pages Page;
    /// one row in place of another as well
    RepeatedRow "repeated-row" Pages Page;
    /// the rows of a page in another order
    DisorderedPage "disordered-page" Pages Page;
    /// total_count is null
    NullTotal "null-total" Pages Page;
    /// total_count is not there
    MissingTotal "missing-total" Pages Page;
    /// total_count is text
    TextTotal "text-total" Pages Page;
    /// total_count is another number
    LyingTotal "lying-total" Pages Page;

    /// one request is answered with 401
    Unauthorized "unauthorized" Access Any;
    /// the key is revoked: 401 from now on, until it is restored
    KeyRevoked "key-revoked" Access Any;
    /// one request is answered with 403
    Forbidden "forbidden" Access Reply;
    /// the permission for this call is gone: 403 from now on, until it is restored
    PermissionRemoved "permission-removed" Access Reply;
    /// the tenant's clock jumps, within what signatures tolerate
    ClockDrift "clock-drift" Access Any;
    /// the tenant's clock jumps beyond what signatures tolerate
    ClockSkew "clock-skew" Access Any;

    /// a query is refused because too many run
    XqlBusy "xql-busy" Xql XqlStart;
    /// a query is refused because the day's quota is used up
    XqlQuota "xql-quota" Xql XqlStart;
    /// a query is still PENDING
    XqlPending "xql-pending" Xql XqlResults;
    /// a query ends with PARTIAL_SUCCESS and half of its rows
    XqlPartial "xql-partial" Xql XqlResults;
    /// a query ends with FAIL
    XqlFail "xql-fail" Xql XqlResults;
    /// a query ends with SUCCESS and without its rows
    XqlEmpty "xql-empty" Xql XqlResults;
    /// the id of a query, or of its stream, is forgotten
    XqlForgotten "xql-forgotten" Xql XqlQuery;
    /// a stream ends in good order before its last rows
    XqlShortStream "xql-short-stream" Xql XqlStream;
}

impl Fault {
    /// The fault of a name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// Whether it lasts beyond the request that it begins with, until it is restored.
    pub fn lasts(self) -> bool {
        matches!(
            self,
            Fault::KeyRevoked | Fault::PermissionRemoved | Fault::ClockDrift | Fault::ClockSkew
        )
    }

    /// Whether it can happen to a call; `None` is a path that is none.
    pub(crate) fn concerns(self, call: Option<Call>) -> bool {
        let Some(call) = call else {
            return self.scope() == Scope::Any;
        };
        match self.scope() {
            Scope::Any => true,
            Scope::Reply => call != Call::Healthcheck,
            Scope::List => call == Call::GetEndpoints || call.list().is_some(),
            Scope::Page => call.list().is_some(),
            Scope::XqlStart => call == Call::StartXqlQuery,
            Scope::XqlResults => call == Call::GetQueryResults,
            Scope::XqlStream => call == Call::GetQueryResultsStream,
            Scope::XqlQuery => {
                matches!(call, Call::GetQueryResults | Call::GetQueryResultsStream)
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_plain_and_lead_back() {
        for fault in Fault::ALL {
            assert_eq!(Fault::find(fault.name()), Some(*fault));
            assert!(
                fault
                    .name()
                    .bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit()),
                "{fault}"
            );
            assert!(!fault.about().is_empty());
        }
        assert_eq!(Fault::find("no-such-fault"), None);
    }

    #[test]
    fn a_fault_happens_only_to_calls_that_it_can_happen_to() {
        assert!(Fault::Reset.concerns(None) && !Fault::ShortPage.concerns(None));
        assert!(Fault::ShortPage.concerns(Some(Call::GetEndpoint)));
        assert!(!Fault::ShortPage.concerns(Some(Call::GetEndpoints)));
        assert!(Fault::EmptyList.concerns(Some(Call::GetEndpoints)));
        assert!(!Fault::ReplyNull.concerns(Some(Call::Healthcheck)));
        assert!(Fault::XqlForgotten.concerns(Some(Call::GetQueryResultsStream)));
        assert!(!Fault::XqlBusy.concerns(Some(Call::GetQueryResults)));
    }
}
