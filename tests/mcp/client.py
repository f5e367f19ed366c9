"""The official Python SDK against a running engine: `python client.py PATH/TO/candlewick` (needs `pip install mcp==2.3.0`).

Starts `candlewick run` on a fresh data directory and speaks to it through `candlewick mcp`, once with the handshake of
the older revisions and once without, as Claude Desktop and newer clients do. Then stops the engine and asks the store.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile

from mcp import Client, StdioServerParameters

CANDLES = {"instrument": "BTC-PERP.SIM", "timeframe": "1m", "limit": 3}
ORDER = {"instrument": "BTC-PERP.SIM", "side": "buy", "qty": "0.01"}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def verb(program, data_dir, *words):
    done = subprocess.run([program, "--data-dir", data_dir, "--format", "json", *words], capture_output=True, text=True)
    check(done.returncode == 0, f"{words}: {done.stderr}")
    return json.loads(done.stdout)


async def looking(program, data_dir, mode):
    bridge = StdioServerParameters(command=program, args=["mcp", "--data-dir", data_dir])
    async with Client(bridge, mode=mode) as client:
        check(client.server_info.name == "candlewick", client.server_info)
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        check("candles_get" in tools and "orders_place" not in tools, "reading alone is the default")
        check(all(tool.annotations.read_only_hint for tool in tools.values()), "each says that it only reads")
        check(all(tool.output_schema for tool in tools.values()), "each says what it answers")
        # The client checks the answer against the schema the server gave.
        answer = await client.call_tool("candles_get", CANDLES)
        check(not answer.is_error, answer)
        check(len(answer.structured_content["candles"]) == 3, answer.structured_content)
        check(json.loads(answer.content[0].text) == answer.structured_content, "the same as text")
        for name in ("symbols_list", "accounts_list", "health_get", "commands_list", "strategies_list", "indicators_list"):
            answer = await client.call_tool(name, {})
            check(not answer.is_error, f"{name}: {answer}")
        refused = await client.call_tool("candles_get", {"instrument": "nowhere", "timeframe": "1m"})
        check(refused.is_error and json.loads(refused.content[0].text)["field"] == "instrument", refused)
        refused = await client.call_tool("orders_place", ORDER)
        check(refused.is_error and json.loads(refused.content[0].text)["code"] == "forbidden", refused)
        print(f"python, mode {mode}: protocol {client.protocol_version}, {len(tools)} tools")


async def proposing(program, data_dir):
    verb(program, data_dir, "settings", "set", "mcp.access", "trade")
    bridge = StdioServerParameters(command=program, args=["mcp", "--data-dir", data_dir])
    async with Client(bridge) as client:
        proposed = await client.call_tool("orders_place", ORDER)
        check(not proposed.is_error, proposed)
        approval = proposed.structured_content["approval_id"]
        check(approval and not proposed.structured_content.get("order_id"), "a proposal, not an order")
        listed = await client.call_tool("approvals_list", {})
        check(approval in [a["id"] for a in listed.structured_content["approvals"]], listed)
        accept = await client.call_tool("approvals_accept", {"id": approval})
        check(accept.is_error, "a client cannot accept its own proposal")
    check(verb(program, data_dir, "orders", "list")["orders"] == [], "nothing was sent")
    accepted = verb(program, data_dir, "approvals", "accept", approval)
    check(accepted["state"] == "accepted", accepted)
    print("python: a proposal was listed and accepted by the operator")


async def offline(program, data_dir):
    store = StdioServerParameters(command=program, args=["mcp", "--data-dir", data_dir])
    async with Client(store) as client:
        answer = await client.call_tool("orders_list", {})
        check(len(answer.structured_content["orders"]) == 1, answer)
        refused = await client.call_tool("orders_place", ORDER)
        check(refused.is_error, "the store is served read-only")
    print("python: the store is served without an engine")


async def main(program):
    with tempfile.TemporaryDirectory() as data_dir:
        engine = subprocess.Popen(
            [program, "run", "--data-dir", data_dir, "--listen", "127.0.0.1:0", "--quiet"],
            stdout=subprocess.PIPE,
            stderr=open(os.path.join(data_dir, "stderr.log"), "wb"),
            text=True,
        )
        try:
            ready = json.loads(engine.stdout.readline())
            check(ready["event"] == "ready", ready)
            for mode in ("legacy", "auto"):
                await looking(program, data_dir, mode)
            await proposing(program, data_dir)
        finally:
            engine.send_signal(signal.SIGTERM)
            code = engine.wait(timeout=10)
        check(code == 0, f"the engine ended with {code}")
        await offline(program, data_dir)


if __name__ == "__main__":
    asyncio.run(main(os.path.abspath(sys.argv[1])))
