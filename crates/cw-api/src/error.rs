//! The catalogue of errors. Callers match on [`ErrorCode`]; the message is a sentence for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What went wrong, by what a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The arguments do not fit; `field` names the first that does not.
    InvalidRequest,
    /// There is no such thing.
    NotFound,
    /// There is no such command.
    UnknownCommand,
    /// The caller did not say who it is, or its token is not valid.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// Our own risk gate said no; `reasons` lists why.
    Denied,
    /// It was changed by somebody else in the meantime, or it already is in another state.
    Conflict,
    /// The venue said no.
    Rejected,
    /// Too many calls; try again a moment later.
    RateLimited,
    /// Something it needs is not there right now.
    Unavailable,
    /// No answer in time. Whether it happened is not known.
    Timeout,
    /// The database or the disk failed.
    Storage,
    /// A defect of ours.
    Internal,
}

impl ErrorCode {
    pub const ALL: [Self; 13] = [
        Self::InvalidRequest,
        Self::NotFound,
        Self::UnknownCommand,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Denied,
        Self::Conflict,
        Self::Rejected,
        Self::RateLimited,
        Self::Unavailable,
        Self::Timeout,
        Self::Storage,
        Self::Internal,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::NotFound => "not_found",
            Self::UnknownCommand => "unknown_command",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Storage => "storage",
            Self::Internal => "internal",
        }
    }

    /// The status a REST answer carries.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound | Self::UnknownCommand => 404,
            Self::Conflict => 409,
            Self::Denied | Self::Rejected => 422,
            Self::RateLimited => 429,
            Self::Storage | Self::Internal => 500,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// The exit code of the command line.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::UnknownCommand => 2,
            Self::InvalidRequest | Self::Unauthorized | Self::Forbidden | Self::Denied | Self::Conflict => 3,
            Self::NotFound => 4,
            Self::Rejected | Self::RateLimited | Self::Unavailable | Self::Timeout => 5,
            Self::Storage => 6,
            Self::Internal => 70,
        }
    }
}

/// The same object on every surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS, thiserror::Error)]
#[ts(optional_fields)]
#[error("{message}")]
pub struct ApiError {
    pub code: ErrorCode,
    /// A sentence for a person.
    pub message: String,
    /// The argument that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The same call may succeed later. Never true when it is unknown whether the call took effect.
    pub retryable: bool,
    /// Finds the call in the log and the audit.
    pub trace_id: String,
    /// Why the risk gate said no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub reasons: Vec<String>,
}

impl ApiError {
    /// An error whose trace id the dispatcher fills in.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let retryable = matches!(code, ErrorCode::Unavailable | ErrorCode::RateLimited);
        Self { code, message: message.into(), field: None, retryable, trace_id: String::new(), reasons: Vec::new() }
    }
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::InvalidRequest, message) }
    }
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what}"))
    }
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }
    pub fn denied(message: impl Into<String>, reasons: Vec<String>) -> Self {
        Self { reasons, ..Self::new(ErrorCode::Denied, message) }
    }
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, message)
    }
    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Storage, message)
    }
    /// Logs the detail and tells the caller no more than that it was our fault.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        tracing::error!(%detail, "internal error");
        Self::new(ErrorCode::Internal, "something went wrong inside Candlewick; the log has the detail")
    }
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_they_are_serialized() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn optional_parts_are_left_out() {
        let error = ApiError::not_found("order 7");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"code":"not_found","message":"there is no order 7","retryable":false,"trace_id":""}"#
        );
    }
}
