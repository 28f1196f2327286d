//! How documents of a connection are written to assets.

/// What the connection's switches and its target model say about writing assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRules {
    /// What its user chose, or else the model's defaults.
    pub switches: Switches,
    /// JSON Pointers of what is written even where existing assets are not updated: the custom fields.
    pub always_written: Vec<String>,
    /// JSON Pointer of where a document says who brought its asset in, in models that show it. It stays as it was when the asset came.
    pub onboarding_source: Option<String>,
    /// JSON Pointer of the list in which a document nests its findings, in models that do. It is not shown while none of them is open.
    pub findings: Option<String>,
}

/// Whose asset it is: what holds for a connection, after the target model's defaults were filled in.
///
/// | update | onboard | the asset exists | it does not |
/// |---|---|---|---|
/// | on | off | mapped values overwrite, an absent value erases nothing, its onboarding source stays; findings attach | no asset; the record and its findings are parked |
/// | on | on | as above | created, onboarding source set, findings attach |
/// | off | off | its values stay; link, last seen, custom fields and findings are written | parked |
/// | off | on | as above | created whole, never overwritten later |
///
/// "Exists" means: in the tenant, when the step commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// `updateExistingAssets`
    pub update_existing_assets: bool,
    /// `autoOnboardAssets`
    pub auto_onboard_assets: bool,
}
