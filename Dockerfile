# The webhook's image. Build it after `npm ci && npm run build`:
#   docker build -t REGISTRY/kubectl-redis-webhook:VERSION .
# Without docker: any image of Node 20 with the folder dist/webhook as /app.
FROM node:20-slim
WORKDIR /app
COPY dist/webhook/webhook.mjs ./
USER 65532:65532
ENV NODE_ENV=production
EXPOSE 8443 8080
CMD ["node", "/app/webhook.mjs"]
