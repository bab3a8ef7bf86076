//! Why a call on a device failed: few, stable kinds, each with what a caller needs to react.

/// The result of a call through the seam.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call on a device failed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API, or the device asked for, is not there.
    #[error("{api} is unavailable: {reason}")]
    Unavailable {
        /// The backend's id.
        api: &'static str,
        /// What is missing.
        reason: String,
    },
    /// The device can't do this at all: a missing type, language or feature.
    #[error("not supported: {what}")]
    Unsupported {
        /// What is not supported, in words.
        what: String,
    },
    /// The device's compiler refused the source.
    #[error("the kernel `{entry}` does not compile:\n{log}")]
    Compile {
        /// The kernel's entry point.
        entry: String,
        /// What the compiler said, whole.
        log: String,
    },
    /// The device, or the host, has not enough memory.
    #[error("out of memory: {asked} bytes were asked for{}", match .free { Some(free) => format!(", {free} are free"), None => String::new() })]
    OutOfMemory {
        /// Bytes asked for.
        asked: u64,
        /// Bytes free at that time, where the API tells.
        free: Option<u64>,
    },
    /// A limit that the device states is exceeded.
    #[error("{what} of {asked} exceeds the device's limit of {limit}")]
    LimitExceeded {
        /// Which limit.
        what: &'static str,
        /// What was asked for.
        asked: u64,
        /// What the device allows.
        limit: u64,
    },
    /// The call's arguments contradict each other or the kernel's declaration.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// A buffer, kernel or ticket of another device was passed.
    #[error("this {what} belongs to another device")]
    ForeignHandle {
        /// "buffer", "kernel" or "ticket".
        what: &'static str,
    },
    /// The device is gone or its context is beyond use; only a new process helps for sure.
    #[error("the device was lost: {reason}")]
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// The driver's own watchdog or a wait ended without an answer.
    #[error("timed out: {what}")]
    Timeout {
        /// What was waited for.
        what: String,
    },
    /// Any other error code of a driver.
    #[error("{api}: {call} failed with {name} ({code})")]
    Driver {
        /// The backend's id.
        api: &'static str,
        /// The driver's function.
        call: &'static str,
        /// The driver's code.
        code: i64,
        /// The driver's name of the code.
        name: String,
    },
}

impl Error {
    /// Shorthand for [`Error::Unsupported`].
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    /// Shorthand for [`Error::InvalidArgument`].
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::InvalidArgument(what.into())
    }
}
