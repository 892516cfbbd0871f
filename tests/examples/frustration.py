import requests, os

API_KEY = os.environ["IDENTITY_API_KEY"]
BASE = "https://www.identity-js.com/api/v1"
headers = {"Authorization": f"Bearer {API_KEY}"}

# Get frustration scores for the last 7 days
r = requests.get(f"{BASE}/insights/frustration?start_date=2025-06-18", headers=headers)
data = r.json()
for entry in data["data"]["scores"]:
    if entry["score"] > 50:
        print(f"Frustrated: {entry['visitor_id']} (score: {entry['score']})")
