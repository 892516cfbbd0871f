const API_KEY = process.env.IDENTITY_API_KEY;

async function getVisitors(page = 1) {
  const res = await fetch(
    `https://www.identity-js.com/api/v1/visitors?page=${page}&limit=100`,
    { headers: { 'Authorization': `Bearer ${API_KEY}` } }
  );
  if (!res.ok) throw new Error(`API error: ${res.status}`);
  return res.json();
}

// Get all visitors from this week
const { data, pagination } = await getVisitors();
console.log(`Found ${pagination.total} visitors`);
