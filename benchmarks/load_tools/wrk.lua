-- What wrk sends, and all that it knows of the latencies: it prints percentiles, this prints the distribution as JSON.
local file = assert(io.open(os.getenv("TRUTH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()

function done(summary, latency, requests)
   local pairs_us = {}
   for i = 1, #latency do
      local value, count = latency(i)
      pairs_us[i] = string.format("[%d,%d]", value, count)
   end
   io.write("distribution [" .. table.concat(pairs_us, ",") .. "]\n")
end
