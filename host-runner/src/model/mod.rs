//! Target models: what assets and findings look like on the platform. They are the host's data.
