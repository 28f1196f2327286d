//! What the component is ordered to do: its configuration, or, for `describe`, which is given none, a mark in its bytes.

use serde::{Deserialize, Serialize};

/// An attack. Those that are no result of a certain verb are tried in [`Order::at`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attack {
    /// None: it reads the records that it makes up.
    #[default]
    Behave,

    // spending
    /// Computes for ever.
    Loop,
    /// Computes for ever in the function with which the host takes memory for what it hands over.
    LoopInRealloc,
    /// Computes for ever after it has given its result, when the result is freed.
    LoopInFree,
    /// Gives the turn back for ever.
    Yield,
    /// Takes memory until there is no more.
    Memory,
    /// Calls itself for ever.
    Recursion,
    /// Runs into code that can't be reached.
    Trap,
    /// Makes handles of its own resource, and drops none.
    Handles,
    /// Makes sets to wait on, and drops none.
    WaitableSets,
    /// Sleeps for as long as a number can say.
    Sleep,
    /// Begins thousands of sleeps, and waits for all.
    SleepsAtOnce,

    // flooding
    /// Asks for the time for ever.
    Clock,
    /// Logs for ever.
    Log,
    /// Logs one line as large as a call may be.
    LogLarge,
    /// Asks what is held, all of it, for ever.
    Inventory,
    /// Asks what is held, all of it, hundreds of times at once.
    InventoryAtOnce,
    /// Sends requests for ever, one after the other.
    Requests,
    /// Sends hundreds of requests at once.
    RequestsAtOnce,
    /// Opens replies and neither reads nor drops them.
    BodiesHeld,
    /// Reads a reply a byte at a time.
    ReadBytes,
    /// Reads [`Order::path`] to its end, however much comes.
    ReadAll,
    /// Reads the same body twice at once.
    ReadTwice,
    /// Sends a request whose body is larger than any query.
    RequestLarge,
    /// Has the host hash a body over and over in one header.
    RecipeHash,
    /// Has the host put a body together over and over in one header.
    RecipeBase64,
    /// Sends a request from a verb that is pure, and then waits.
    Escape,

    // giving
    /// Steps that bring nothing, for ever.
    IdleSteps,
    /// Steps with a record each, for ever.
    EndlessSteps,
    /// A step with more records than a step may have.
    TooManyRecords,
    /// A step with more bytes than a call may carry.
    GiantStep,
    /// A step with millions of small values.
    GiantList,
    /// One record that is larger than a record may be.
    GiantRecord,
    /// Documents that are larger than a document may be.
    GiantDocument,
    /// A checkpoint that is larger than one may be.
    GiantCheckpoint,
    /// A fault, a note, a warning and reasons as long as a book, with a terminal's control characters.
    GiantFault,
    /// The same at the end of a sync.
    GiantEnd,
    /// A record of lists within lists, a hundred thousand deep.
    DeepRecord,
    /// The same as a document.
    DeepDocument,
    /// The same as a checkpoint.
    DeepCheckpoint,
    /// The same as the completed configuration.
    DeepConfig,
    /// The completed configuration as a list of millions of noughts.
    WideConfig,
    /// A record that is no JSON.
    BrokenRecord,
    /// A document that is no JSON.
    BrokenDocument,
    /// A checkpoint that is no JSON.
    BrokenCheckpoint,
    /// A key twice in one step.
    KeyTwice,
    /// The same keys in each step.
    KeysAgain,
    /// An empty key.
    KeyEmpty,
    /// A key as long as a book.
    KeyLong,
    /// A key with a NUL in it.
    KeyNul,
    /// A text that is no UTF-8.
    TextBroken,
    /// A list that goes on beyond the end of its memory.
    ListBeyond,
    /// A record seen in the year 10000.
    SeenLate,
    /// A record closed at the end of time.
    ClosedLate,
    /// Numbers of skipped records that add up to more than a number can say.
    Overflow,
    /// A new filter's name for each skipped record.
    FilterNames,
    /// Confirms a record that nobody holds.
    ConfirmUnheld,
    /// Closes a record that nobody holds.
    CloseUnheld,
    /// More outcomes than entries.
    MoreOutcomes,
    /// Fewer outcomes than entries.
    FewerOutcomes,
    /// A finding without a key.
    FindingNoKey,
    /// A finding on the asset of another connection, by that asset's key.
    FindingElsewhere,
    /// An asset with the key of another connection's.
    AssetElsewhere,
    /// Placeholders that point nowhere.
    PlaceholderNowhere,
    /// An origin that no rule covers.
    OriginUncovered,
    /// An origin that the manifest does not name.
    OriginUnknown,
    /// A secret that its own schema does not have.
    SecretUnknown,
    /// A data stream that its own manifest does not have.
    StreamUnknown,

    // reaching
    /// Tries all ways out that are closed, and reports what it met.
    Reach,
    /// Tries to isolate an endpoint with the key that it may use.
    Isolate,

    // describing
    /// A manifest larger than one may be.
    ManifestGiant,
    /// A schema of lists within lists.
    ManifestDeep,
    /// A manifest that tells the time at which it was made.
    ManifestDiffers,
}

/// A verb of the contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// `describe`.
    Describe,
    /// `configure`.
    Configure,
    /// `test`.
    Test,
    /// `survey`.
    Survey,
    /// `sync`.
    Sync,
    /// A reading's `next`.
    #[default]
    Next,
    /// `transform`.
    Transform,
    /// A mapper's `apply`.
    Apply,
    /// A mapper's `explain`.
    Explain,
    /// `sift`.
    Sift,
}

/// What to do; also the component's configuration, the body of its map and that of its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Order {
    /// Where its requests go.
    pub base_url: String,
    /// The attack.
    pub attack: Attack,
    /// The verb in which it is tried.
    pub at: Verb,
    /// How many steps a sync behaves before.
    pub after: u64,
    /// How many steps a sync has that behaves.
    pub steps: u64,
    /// How many records each has.
    pub records: u64,
    /// The path that is requested, of those that the manifest declares.
    pub path: String,
    /// The key of something that is not its own.
    pub key: String,
    /// What its own keys begin with.
    pub prefix: String,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            attack: Attack::Behave,
            at: Verb::Next,
            after: 0,
            steps: 3,
            records: 2,
            path: "/small".to_owned(),
            key: String::new(),
            prefix: "k".to_owned(),
        }
    }
}

impl Order {
    /// Reads an order; what can't be read is an order to behave.
    #[must_use]
    pub fn read(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// Whether this attack is to be tried here.
    #[must_use]
    pub fn is(&self, attack: Attack) -> bool {
        self.attack == attack
    }
}

/// What stands before the attack's name in the component's bytes.
pub const MARK: &str = "ordered-of-describe:";
/// How many bytes the name may take.
pub const ROOM: usize = 24;

/// An attack's name, as configurations and the mark have it.
#[must_use]
pub fn name(attack: Attack) -> String {
    match serde_json::to_value(attack) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
