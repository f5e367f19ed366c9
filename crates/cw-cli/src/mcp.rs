//! `candlewick mcp`: MCP over standard input and output, which is what Claude Desktop starts.

use cw_api::{Access, ApiError};
use cw_server::EngineFile;
use cw_server::mcp::{McpOptions, Tools, connect};
use tokio_util::sync::CancellationToken;

use crate::options::Globals;
use crate::{Failure, engine, output};

pub async fn serve(globals: &Globals) -> Result<(), Failure> {
    if let Some(file) = EngineFile::read(&globals.run_dir())
        && let Ok(stream) = connect(&file.mcp).await
    {
        return bridge(stream).await.map_err(Failure::from);
    }
    output::note(globals, "no engine runs on this data directory; serving its store read-only");
    let opened = engine::open(globals, engine::Mode::ReadOnly).await?;
    let options = McpOptions { version: env!("CARGO_PKG_VERSION"), ceiling: Access::Read };
    let tools = Tools::new(opened.services(), options);
    tools.serve(tokio::io::stdin(), tokio::io::stdout(), CancellationToken::new()).await;
    opened.close().await;
    Ok(())
}

/// Carries bytes both ways until the client closes its end or the engine goes.
async fn bridge(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite) -> Result<(), ApiError> {
    let (mut from_engine, mut to_engine) = tokio::io::split(stream);
    let mut stdin = tokio::io::stdin();
    let mut stdout = tokio::io::stdout();
    let lost = |error: std::io::Error| ApiError::unavailable(format!("the engine cannot be reached: {error}"));
    tokio::select! {
        sent = tokio::io::copy(&mut stdin, &mut to_engine) => {
            sent.map_err(lost)?;
            // The client is done; what the engine still says is dropped with it.
            Ok(())
        }
        heard = tokio::io::copy(&mut from_engine, &mut stdout) => {
            heard.map_err(lost)?;
            Err(ApiError::unavailable("the engine stopped"))
        }
    }
}
