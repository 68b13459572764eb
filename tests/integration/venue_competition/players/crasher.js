// Places one order, then throws.
const { VENUE_ORDER_ENTRY_URL, VENUE_API_KEY } = process.env;

async function play() {
  const answer = await fetch(`${VENUE_ORDER_ENTRY_URL}/v1/orders`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${VENUE_API_KEY}` },
    body: JSON.stringify({
      security: "ACME", side: "SELL", type: "limit", quantity: 1, price: "60.00",
    }),
  });
  await answer.json();
  await new Promise((wake) => setTimeout(wake, 2000));
  console.error(`answered ${answer.status}, and now it crashes`);
  process.exit(3);
}

play();
